"""The steps of a run in their order, and the key that each leaves in the state; other states' names."""

from dataclasses import dataclass

from contract.errors import PartlyDone


@dataclass(frozen=True)
class Step:
    """A step of the state machine."""

    name: str
    """Of its state, as a person sees it in the graph."""
    leaves: str
    """The key of the state data under which its result lies: a step without it has not ended well."""

    @property
    def path(self) -> str:
        """The JSONPath of its result."""
        return f"$.{self.leaves}"


PREPARE = Step("Prepare", "run")
VALIDATE = Step("Validate", "validation")
PLAN = Step("Plan", "plan")
TUNE = Step("Tune", "tuned")
CHOOSE = Step("Choose", "choice")
TRAIN = Step("Train", "training")
EVALUATE = Step("Evaluate", "evaluation")
REGISTER = Step("Register", "registration")
PREDICT = Step("Predict", "prediction")
COLLECT = Step("Collect", "results")

TUNING = (PLAN, TUNE, CHOOSE)  # before a training, of a run that tunes
TRAINING = (TRAIN, EVALUATE, REGISTER)
PREDICTION = (PREDICT, COLLECT)
ORDER = (PREPARE, VALIDATE, *TUNING, *TRAINING, *PREDICTION)

THRESHOLD = Step("Threshold", REGISTER.leaves)  # the one step of a request for another target
TUNE_FURTHER = Step("Tune further", TUNE.leaves)  # the tuning job that learns from those before it
EXPLAIN = Step("Explain", "failure")
TRAIN_IN_VPC = Step("Train in the VPC", TRAIN.leaves)  # the same job, with a network
PREDICT_AT_ONCE = Step("Predict at once", PREDICT.leaves)  # the function, for a small file
PREDICT_IN_PARALLEL = Step("Predict in parallel", PREDICT.leaves)  # the array job, for several shards
TURN = "Turn"  # where a training waits for those that began before it
GATE = "Gate"
# A training that got no machine is started again so often, with so many seconds in between: for twelve hours.
# One that SageMaker itself ended may have cost something, and is started again for an hour.
WAIT_SECONDS, MOST_WAITS, MOST_WAITS_FOR_SAGEMAKER = 600, 72, 6
FAILED, PARTLY_DONE = "Failed", PartlyDone.__name__
FAILED_ENDS = frozenset({FAILED, PARTLY_DONE})  # a redriven execution leads from them to the step that failed
