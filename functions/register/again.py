"""Makes the state with which a trained model is compared once more, with the model that is live now."""

from typing import Any

from shared import registry
from shared.channels import channels
from shared.registry import LiveModel

ROUNDS = 3  # then a person decides: other models go live faster than this one can be compared

State = dict[str, Any]


def impossible(state: State, live: LiveModel | None) -> str:
    """Return why the model cannot be compared again, or an empty string."""
    which = f"version {live.version} is live now" if live else "no model is live now"
    if state["run"].get("round", 0) >= ROUNDS:
        return f"Other models went live {ROUNDS} times while it was compared, and {which}."
    if "validation" not in state:  # this run began before the stack was updated
        return f"What is live changed while it was trained ({which}): train it again to compare the two."
    return ""


def compare(state: State, live: LiveModel | None) -> State:
    """Return `registration` of a model that is not registered yet: `again` has the run's next state."""
    run, validation = state["run"], state["validation"]
    number = run.get("round", 0) + 1
    again = {
        **run,
        "round": number,
        # SageMaker takes no name twice.
        "job_name": f"{run['job_name'].removesuffix(f'-{number - 1}')}-{number}",
        "has_live_model": live is not None,
        "live_model": registry.as_state(live),
    }
    made = channels(again, state["training"]["model_uri"])
    train = {**validation["train"], "channels": made}
    return {"live": False, "again": {"run": again, "validation": {**validation, "train": train}}}
