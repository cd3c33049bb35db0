"""Makes a model's card: what later runs have to know about it; knows nothing of AWS."""

from contract.evaluation import Card, Evaluation
from contract.state import EvaluateEvent

SCHEMA = 1


def card(state: EvaluateEvent, evaluation: Evaluation, held_out: str) -> Card:
    """Return the card of a trained model.

    Args:
        state: with `run`, `training` and `validation`
        evaluation: what evaluation.json holds
        held_out: where the rows lie that judged it, as the channel `validation`

    """
    run, checked = state["run"], state["validation"]["train"]
    data = run["data"]
    return {
        "schema": SCHEMA,
        "run": run["name"],
        "job": state["training"]["job"],
        "data": {"uri": data["uri"], "version": data["version"], "etag": data["etag"]},
        "labels": evaluation["labels"],
        "text_column": checked["columns"]["text_column"],
        "label_column": checked["columns"]["label_column"],
        "validation_fraction": run["validation_fraction"],
        "held_out": held_out,
        "accuracy": evaluation["accuracy"],
        "accuracy_interval": evaluation["accuracy_interval"],
        "validation_rows": evaluation["validation_rows"],
        "acceptance": evaluation.get("acceptance"),
        "rows": checked["train_rows"] + checked["validation_rows"],
    }
