"""Makes a model's card: what later runs have to know about it; knows nothing of AWS."""

from typing import Any

from contract import keys

SCHEMA = 1
Card = dict[str, Any]


def card(state: dict[str, Any], evaluation: dict[str, Any], held_out: str) -> Card:
    """Return the card of a trained model.

    Args:
        state: with `run`, `training` and `validation`
        evaluation: what evaluation.json holds
        held_out: where the rows lie that judged it, as the channel `validation`

    """
    run, checked = state["run"], state["validation"]["train"]
    return {
        "schema": SCHEMA,
        "run": keys.run_name(run),
        "job": state["training"]["job"],
        "data": {key: run["data"][key] for key in ("uri", "version", "etag")},
        "labels": evaluation["labels"],
        # A run that began before the stack was updated has none.
        **(checked.get("columns") or {"text_column": None, "label_column": None}),
        "validation_fraction": run["validation_fraction"],
        "held_out": held_out,
        "accuracy": evaluation["accuracy"],
        "accuracy_interval": evaluation["accuracy_interval"],
        "validation_rows": evaluation["validation_rows"],
        "acceptance": evaluation.get("acceptance"),
        "rows": checked["train_rows"] + checked["validation_rows"],
    }
