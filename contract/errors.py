"""What can go wrong, as one hierarchy. A class's name is the error's name in the state machine.

ClaimflowError
├── UserError                what a person did; never retried
│   ├── InvalidRequest       the execution's input is not a request, or names an object that is not there
│   ├── InvalidConfig        the configuration; every problem at once
│   ├── InvalidData          the file cannot be used
│   └── NoLiveModel          a prediction before any model is live
├── TimedOut                 a training or a prediction took longer than it may
├── TrainingFailed           the training job did not complete
├── PredictionFailed         a shard failed, or a part is missing or short
├── StackMisconfigured       an environment variable or a permission is missing: the template's fault
├── AnotherGoesLive          another run makes its model live at this moment; the step is tried again
├── AnotherTrains            another training began before this one; the step is tried again
├── AwsUnavailable           AWS was too busy, or failed, or did not answer; the step is tried again
├── StateMachineError        (names that the state machine and `explain` give; no function raises them)
│   ├── ModelRejected        the model is not good enough
│   ├── PartlyDone           some shards failed; the rest is delivered
│   └── Unexpected           everything else
└── StorageError             (internal: callers turn it into one of the above)
├── ObjectMissing        no such bucket, key or version
└── ObjectDenied         it may be there, but this stack may not read it
"""


class ClaimflowError(Exception):
    """Root of everything that the functions raise on purpose."""


class UserError(ClaimflowError):
    """What a person did wrong, told in one sentence that says what to do."""


class InvalidRequest(UserError):  # noqa: N818 - the name is the state machine's
    """The execution's input is not a request, or names an object that is not there."""


class InvalidConfig(UserError):  # noqa: N818
    """The configuration is not usable; the sentence names every problem."""


class InvalidData(UserError):  # noqa: N818
    """The file cannot be used: encoding, NUL bytes, quoting, header, columns, classes, nothing usable."""


class NoLiveModel(UserError):  # noqa: N818
    """A prediction was asked for before any model is live."""


class TimedOut(ClaimflowError):  # noqa: N818
    """A training or a prediction took longer than it may."""


class TrainingFailed(ClaimflowError):  # noqa: N818
    """The training job did not complete, or left no evaluation."""


class PredictionFailed(ClaimflowError):  # noqa: N818
    """A shard failed, or its part is missing, short or out of order."""


class StackMisconfigured(ClaimflowError):  # noqa: N818
    """An environment variable of a function, or a permission, is missing or not what it should be."""


class AwsUnavailable(ClaimflowError):  # noqa: N818
    """A service of AWS was too busy, failed, or did not answer; the step is tried again, five times."""


class AnotherGoesLive(ClaimflowError):  # noqa: N818
    """Another run makes its model live at this moment; the step is tried again, for 40 minutes at most."""


class AnotherTrains(ClaimflowError):  # noqa: N818
    """Another training began before this one; the step is tried again, for five days or more."""


class StateMachineError(ClaimflowError):
    """A name that the state machine or `explain` gives to the end of a run; no function raises it."""


class ModelRejected(StateMachineError):  # noqa: N818
    """The model is not good enough; the live model stays."""


class PartlyDone(StateMachineError):  # noqa: N818
    """Some shards failed; what the others made is delivered."""


class Unexpected(StateMachineError):  # noqa: N818
    """Everything else, with where to look."""


class StorageError(ClaimflowError):
    """An object could not be read."""


class ObjectMissing(StorageError):  # noqa: N818
    """No such bucket, key or version."""


class ObjectDenied(StorageError):  # noqa: N818
    """The object may be there, but this stack may not read it."""


def _names(*kinds: type[ClaimflowError]) -> frozenset[str]:
    return frozenset(kind.__name__ for kind in kinds)


# What the same request would meet again: whoever made it has to change something first.
NEVER_AGAIN = _names(InvalidRequest, InvalidConfig, InvalidData, NoLiveModel)
# Errors whose own sentence is what people are told.
WITH_SENTENCE = NEVER_AGAIN | _names(
    AnotherGoesLive, AnotherTrains, TimedOut, TrainingFailed, PredictionFailed, StackMisconfigured
)
NAMES = WITH_SENTENCE | _names(AwsUnavailable, ModelRejected, PartlyDone, Unexpected)
