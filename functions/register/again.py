"""Makes the state with which a trained model is compared once more, with the model that is live now."""

from contract.state import LabelledFile, LiveModel, RegisterEvent, Registration, Run
from shared.channels import channels

ROUNDS = 3  # then a person decides: other models go live faster than this one can be compared


def impossible(run: Run, live: LiveModel | None) -> str:
    """Return why the model cannot be compared again, or an empty string."""
    which = f"version {live['version']} is live now" if live else "no model is live now"
    if run.get("round", 0) >= ROUNDS:
        return f"Other models went live {ROUNDS} times while it was compared, and {which}."
    return ""


def compare(state: RegisterEvent, live: LiveModel | None) -> Registration:
    """Return `registration` of a model that is not registered yet: `again` has the run's next state."""
    run, validation = state["run"], state["validation"]
    number = run.get("round", 0) + 1
    again: Run = {
        **run,
        "round": number,
        # SageMaker takes no name twice.
        "job_name": f"{run['job_name'].removesuffix(f'-{number - 1}')}-{number}",
        "live_model": live,
    }
    inputs = channels(again, state["training"]["model_uri"])
    train: LabelledFile = {**validation["train"], "channels": inputs}
    return {"live": False, "again": {"run": again, "validation": {**validation, "train": train}}}
