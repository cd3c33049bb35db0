"""The functions one after the other, as the state machine calls them."""

from evaluate.handler import handler as evaluate
from register.handler import handler as register
from tests.unit.functions.stack import Stack, csv_text, labelled


def test_a_training_goes_from_upload_to_a_live_model(stack: Stack) -> None:
    state = stack.validated("train", labelled(50))
    state["training"] = stack.trained(state, accuracy=0.93)
    state["evaluation"] = evaluate(state, None)
    state["registration"] = register(state, None)
    live = stack.prepare(state["request"])["live_model"]
    assert live == {
        "arn": state["registration"]["arn"],
        "version": 1,
        "model_uri": state["training"]["model_uri"],
        "card": state["evaluation"]["card"],
        "job": state["training"]["job"],
        "target_precision": None,
        "approval": f"Approved by the gate, in the run {state['run']['name']}",
    }


def test_a_prediction_gives_every_row_back(stack: Stack) -> None:
    stack.live()
    rows = [(str(n), f'text "{n}",\r\nwith two lines' if n % 7 else "") for n in range(30)]
    state = stack.validated("predict", csv_text(["id", "text"], rows), {"rows_per_shard": 10})
    state["model"] = stack.predicted(state)
    table = stack.table(stack.collect(state)["results"])
    assert [(row["id"], row["text"]) for row in table] == rows
    assert [row["prediction"] for row in table] == ["brakes" if text else "" for _, text in rows]
