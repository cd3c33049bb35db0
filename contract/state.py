"""The state of a run, and what of it each Lambda gets.

The state data grows by one key a step (see `contract.steps`). `error` and `failure` are there on the way to a
failed end only. All of it has to stay below the 262,144 bytes that Step Functions takes.
"""

from typing import Any, Final, Literal, NotRequired, TypedDict, cast

Action = Literal["train", "tune", "predict"]
MOST_FILES = 20  # to train on: what prepare finds of each is part of the state, which is bounded
THRESHOLD: Final = "threshold"  # the action of a request for another target


class Request(TypedDict):
    """The execution's input. An unknown key is refused."""

    action: Action
    data: str | list[str]
    """The file's `s3://` address; with `train` also a list of up to 20, the oldest first: a text that stands
    in several files counts as in the last."""
    version: NotRequired[str | list[str | None] | None]
    """The S3 version of `data`, of several files a list of as many; without it the newest."""
    predict: NotRequired[str | None]
    """With `train`: the address of a file to label with the new model, if it goes live."""
    config: NotRequired[dict[str, object] | str | None]
    """The configuration, or its address; without it the stack's own."""
    started_by: NotRequired[str | None]
    """Who started it: the command line's caller, or `upload`."""
    trials: NotRequired[int | None]
    """With `tune`: how many trainings are tried, 1 to 100; without it 20."""
    max_minutes: NotRequired[int | None]
    """With `tune`: how long the trials may take together, 2 to 1,440; without it 60."""
    replace: NotRequired[bool | None]
    """With `train` and `tune`: the new model may lack categories of the live one."""
    decided_until: NotRequired[str | None]
    """With `train`: up to when people's decisions are in the last file of `data`, as ISO 8601."""


class ThresholdRequest(TypedDict):
    """The execution's input that gives the live model another target, without a training."""

    action: Literal["threshold"]
    target_precision: float
    """Least precision of the rows accepted without a person: at least 0.5 and below 1."""
    started_by: NotRequired[str | None]
    """Who started it: the command line's caller."""


class InputFile(TypedDict):
    """A file as prepare found it. All steps read these same bytes."""

    uri: str
    bucket: str
    key: str
    version: str | None
    etag: str
    size: int
    """Bytes, packed if the file is."""


class ColumnNames(TypedDict):
    """The names of the columns; of several files, those of the first."""

    text_column: str | None
    label_column: str | None


class LiveModel(TypedDict):
    """The newest approved version in the registry."""

    arn: str
    version: int
    model_uri: str
    card: str | None
    """Where its card lies; models registered before there were cards have none."""
    job: str | None
    """The training job that made it."""
    target_precision: NotRequired[float | None]
    """That was set after the training; None: the model's own."""
    approval: NotRequired[str | None]
    """Who or what approved it, in the registry's words; None: it has none."""


class Gate(TypedDict):
    """What a configuration asks of a model beside its accuracy before it goes live; None: nothing."""

    macro_f1_bar: float | None
    recall_floor: float | None
    """Least recall of each category."""
    recall_floor_categories: list[str]
    """Those that it is for; empty: all."""
    live_significance: float | None
    """Level at which a model must be shown to be worse than the live one to be rejected for it."""


class Best(TypedDict):
    """The trial that was chosen, and what is kept of the others."""

    job: str
    """The tuning job that it is of."""
    trial: str
    """Its training job."""
    accuracy: float
    """On training rows that it had not learned from; those that judge the model no trial has seen."""
    chosen: dict[str, str]
    """The values of the tuned keys, each as JSON text."""
    trials: int
    completed: int
    """Trials that ended well, and were not stopped early."""
    table: str
    """The address of trials.csv."""
    report: NotRequired[str]
    """The address of the page that draws them; absent from runs of an older version."""


class Tuning(TypedDict):
    """What a run tunes."""

    name: str
    """How the names of its tuning jobs begin; the same for the same work, so that no trial is lost."""
    trials: int
    """How many, those of earlier tries of the same work among them."""
    seconds: int
    """How long a tuning job may take."""
    parallel: int
    config: dict[str, Any]
    """SageMaker's HyperParameterTuningJobConfig without its ResourceLimits."""
    best: NotRequired[Best]
    """Absent until one is chosen."""


class Run(TypedDict):
    """What prepare found out; every later step reads it."""

    id: str
    """Of the run's work and its folder in the artifacts bucket: the same for the same request."""
    name: str
    """Of the execution, and of its folder in the results bucket."""
    action: Action
    started_by: str | None
    data: InputFile
    """Of several files to train on, the first."""
    more_data: NotRequired[list[InputFile]]
    """The other files to train on, in their order; absent: there is one."""
    predict: InputFile | None
    predict_wanted: bool
    """Whether a file is labelled in the end, if a model is live by then."""
    live_model: LiveModel | None
    replace: bool
    config: str
    """The address of the checked, complete configuration."""
    columns: ColumnNames
    """As configured."""
    sheet: str | None
    validation_fraction: float
    rows_per_shard: int | None
    explain: bool
    allow_partial: bool
    max_missing_share: float
    output: str | None
    audit_share: NotRequired[float]
    """Of the accepted rows; absent from runs that an older version began."""
    accuracy_bar: float
    """The stack's, or a higher one of the configuration."""
    gate: NotRequired[Gate]
    """Absent from runs that an older version began."""
    hyperparameters: dict[str, str]
    """Each value as JSON text."""
    image: str
    """What trains, by its digest."""
    job_definition: str
    """The revision of Batch's job definition that predicts; it names its image by digest too."""
    small: NotRequired["Small"]
    """The function that labels small files; absent: Batch labels all."""
    job_name: str
    """Of the training job, without its attempt: at most 49 characters, and 10 of rounds and waits."""
    resource_config: dict[str, str | int]
    """SageMaker's ResourceConfig."""
    vpc_config: NotRequired[dict[str, list[str]]]
    """SageMaker's VpcConfig; absent: it trains in SageMaker's own network."""
    stopping_condition: dict[str, int]
    """SageMaker's StoppingCondition."""
    use_spot: bool
    output_config: dict[str, str]
    """SageMaker's OutputDataConfig: the folder in which it makes one a job, and the stack's key, if any."""
    checkpoints: str
    round: NotRequired[int]
    """How often the trained model was sent back to be compared with another live model."""
    decided_until: NotRequired[str]
    """Up to when people's decisions are in the last file; absent: it has none."""
    tuning: NotRequired[Tuning]
    """Only of a run that tunes."""


class Small(TypedDict):
    """The function that labels small files."""

    function: str
    """Its ARN."""
    rows: int
    """Usable ones that a file may have."""


class Channel(TypedDict):
    """One entry of SageMaker's InputDataConfig."""

    ChannelName: str
    DataSource: dict[str, dict[str, str]]
    ContentType: str
    InputMode: str


class LabelledRows(TypedDict):
    """The counts of a file to train on."""

    rows: int
    rejected: int
    train_rows: int
    validation_rows: int
    validation_texts: int
    """Different ones among the held-out rows."""
    classes: int


class LabelledFile(LabelledRows):
    """What validate made of a file to train on."""

    columns: ColumnNames
    """Those that were found: as configured, by common names, or by a part of one."""
    warnings: list[str]
    """At most 20 sentences of at most 300 characters."""
    channels: list[Channel]
    """`train`, `validation` and, if a model is live, `champion` (the folder of its model.tar.gz) and
    `champion_validation` (the rows held out for it); `challenger` is a trained model to be compared only."""
    reading: str
    """How the file was read, in words; empty for a UTF-8 CSV with commas."""
    trial_channels: NotRequired[list[Channel]]
    """The training rows alone, cut into those that trials learn from and those that judge them; empty unless
    the run tunes, and absent from runs that an older version began."""
    sha256: NotRequired[list[str]]
    """Of each file's bytes, in their order; absent from runs that an older version began."""


class RowsToLabel(TypedDict):
    """The counts of a file to label."""

    shards: int
    rows: int
    rejected: int
    single: bool
    """Whether there is one shard: Batch has no array job of one child."""


class FileToLabel(RowsToLabel):
    """What validate made of a file to label."""

    manifest: str
    """The address of the shard manifest."""
    warnings: list[str]
    reading: str
    at_once: NotRequired[list[int]]
    """The numbers of the shards, if the function for small files labels them; absent: Batch does."""
    way: NotRequired[str]
    """Why the function labels them, or why not; absent from runs that an older version began."""
    fallback: NotRequired["Caught"]
    """With which the function failed, so that Batch labelled the file after all."""


class Validation(TypedDict):
    """What validate leaves."""

    train: LabelledFile | None
    predict: FileToLabel | None
    report: str
    """The address of validation.json."""


class TrainingValidation(TypedDict):
    """What validate leaves of a run that trains."""

    train: LabelledFile
    predict: FileToLabel | None
    report: str


class PredictionValidation(TypedDict):
    """What validate leaves of a run that labels a file."""

    train: LabelledFile | None
    predict: FileToLabel
    report: str


class Plan(TypedDict):
    """The tuning job that is to be made: what was not tried before."""

    name: str
    """Of the job, without its attempt."""
    left: int
    """How many trials are to be made; 0: enough were made before."""
    further: bool
    """Whether there are parents."""
    parents: list[dict[str, str]]
    """SageMaker's ParentHyperParameterTuningJobs: tuning jobs of the same work, from which it learns."""
    config: dict[str, Any]
    """SageMaker's HyperParameterTuningJobConfig."""
    hyperparameters: dict[str, str]
    """What is the same in all trials."""
    output_config: dict[str, str]
    """SageMaker's OutputDataConfig of the trials."""
    stopping_condition: dict[str, int]
    """SageMaker's StoppingCondition of each trial."""
    network: dict[str, Any]
    """With a key `VpcConfig`, SageMaker's, if trials run in a network of ours; else empty."""


class Tuned(TypedDict, total=False):
    """What is kept of SageMaker's answer, or what Step Functions caught when the tuning job failed."""

    status: str
    Error: str
    Cause: str


class Choice(TypedDict):
    """What the trials came to."""

    run: Run
    """With the hyperparameters of the best trial, and that trial under `tuning`."""


class Training(TypedDict):
    """What is kept of SageMaker's answer."""

    job: str
    """JOB_NAME-REDRIVES-RETRIES, as SageMaker never takes a name twice."""
    status: str
    """SageMaker's TrainingJobStatus."""
    detail: str
    """SageMaker's SecondaryStatus."""
    model_uri: str
    output_uri: str


class Cost(TypedDict):
    """What the machines of a training or of a prediction cost, as far as the stack knows their prices."""

    seconds: int
    """That are billed, of all machines together; of functions, seconds of one GB of memory."""
    machines: list[str]
    """`lambda-gb` for functions; instance types: of what trained, or of those that may have labelled."""
    dollars: float | None
    """US dollars by the stack's InstancePrices; None: it has no price for one of the machines."""
    at_most: bool
    """Whether the dearest of the machines was reckoned with, each job having one for itself."""
    saved: NotRequired[float]
    """Share of the time that Spot saved, as it is not billed; absent: no Spot."""


class Suspects(TypedDict):
    """The labelled rows whose labels are probably wrong."""

    count: int
    file: str
    """The address of the table of them."""


class Evaluation(TypedDict):
    """What evaluate leaves: the figures that the Gate compares, and what people are told.

    The three figures of the comparison are absent when no model is live or there is no row to compare on.
    """

    accuracy: float
    accuracy_interval: list[float]
    bar: float
    validation_rows: int
    rows: int
    """Usable ones of the file."""
    categories: int
    compared_rows: NotRequired[int]
    compared_accuracy: NotRequired[float]
    """The new model's on those rows."""
    live_accuracy: NotRequired[float]
    """The live model's on the same rows."""
    worse_than_live: NotRequired[bool]
    """On those rows: less accurate, and beyond chance where the configuration asks for that; absent from runs
    that an older version evaluated.
    """
    below: NotRequired[str]
    """Which bars beside that of the accuracy the model does not reach, with figures; absent: none."""
    reason: NotRequired[str]
    """What is missing for the model to go live without a person, and how much of it; absent: nothing."""
    suspects: NotRequired[Suspects]
    """Absent: there are none, or an older training image did not look for them."""
    cost: NotRequired[Cost]
    """Of the training job; absent: SageMaker did not tell."""
    advice: str | None
    against_live: str
    evaluation: str
    """The address of evaluation.json."""
    report: str
    card: str
    subject: str
    message: str


class NewTarget(TypedDict):
    """What the target that a model got after its training gives, on the rows that it was measured on."""

    target_precision: float
    coverage: float
    """Share of the rows accepted."""
    precision: float | None
    """Share of the accepted rows labelled right; None when there are none."""
    of: int
    """The version that is the same model with the target of before."""


class Registration(TypedDict):
    """What register leaves."""

    live: bool
    arn: NotRequired[str]
    version: NotRequired[int]
    reason: NotRequired[str]
    """Why it is not live, if something is missing."""
    rejected: NotRequired[Literal[True]]
    """The model is worse than the live one."""
    again: NotRequired["Again"]
    """Another model is live than the one in `run.live_model`: the machine goes back to Train with this."""
    target: NotRequired[NewTarget]
    """Only of a request for another target."""
    subject: NotRequired[str]
    message: NotRequired[str]


class Again(TypedDict):
    """The state with which the trained model is compared with the model that is live now."""

    run: Run
    validation: TrainingValidation


class Model(TypedDict):
    """The model that labels."""

    arn: str
    version: int
    model_uri: str


class Prediction(TypedDict, total=False):
    """What the Batch job or the function leaves: that it succeeded, or what was caught when shards failed."""

    succeeded: Literal[True]
    job: str
    """The job's id; absent in a run of before, and where no job labelled."""
    calls: list["Call"]
    """Of the function for small files, one a shard."""
    Error: str
    Cause: str


class Call(TypedDict):
    """A call of the function for small files."""

    gb_seconds: float
    """Of memory, as AWS bills them; measured by the function."""


class ResultCounts(TypedDict):
    """The counts of a prediction."""

    rows: int
    predicted: int
    rejected: int
    accepted: int
    review_rows: int
    categories: int
    """Predicted ones."""
    missing_rows: int
    missing_shards: int
    accuracy: NotRequired[float]
    """Absent when the input has no labels."""
    unlike_rows: NotRequired[int]
    """Rows unlike the training texts; absent in a run of before."""
    mean_confidence: NotRequired[float]
    """Of the predicted rows; absent where there are none, and in a run of before."""
    queue_rows: NotRequired[int]
    """Rows that people are asked to decide, audits among them; absent in a run of before."""


class Results(ResultCounts):
    """What collect leaves."""

    results: str
    review: str
    report: str
    manifest: str
    warnings: list[str]
    advice: str | None
    """None: enough is accepted."""
    sentence: str | None
    """How many rows are missing, and why; None: none."""
    cost: Cost | None
    """Of the Batch jobs that labelled; None: Batch did not tell."""
    subject: str
    message: str


class Caught(TypedDict, total=False):
    """An error as a Catch of Step Functions leaves it."""

    Error: str
    Cause: str


class Failure(TypedDict):
    """What explain leaves."""

    error: str
    sentence: str
    again: bool
    """False for what the same request would meet again."""
    redrives: int
    """How often the execution had been redriven when it failed."""
    wait: NotRequired["Wait"]
    """Of a training that got no machine: it is started again later. Absent: the run ends."""
    subject: str
    message: str


class Wait(TypedDict):
    """A training's wait for a machine."""

    number: int
    """How often it has waited now, in this redrive."""
    begins: bool
    """Whether it is the first time, of which people are told."""
    job_name: str
    """Of the next training job, in place of the one in `run`: SageMaker takes no name twice."""


class State(TypedDict, total=False):
    """The state data."""

    request: Request | ThresholdRequest
    run: Run
    validation: Validation
    plan: Plan
    tuned: Tuned
    choice: Choice
    training: Training
    evaluation: Evaluation
    registration: Registration
    model: Model
    prediction: Prediction
    results: Results
    error: Caught
    failure: Failure


class PrepareEvent(TypedDict):
    """What prepare gets. The request may be anything: prepare checks it."""

    request: object
    execution: str
    """The ARN of the execution."""


class ValidateEvent(TypedDict):
    """What validate gets."""

    run: Run


class TurnEvent(TypedDict):
    """What turn gets."""

    execution: str
    """The ARN of the execution."""


class PlanEvent(TypedDict):
    """What tune gets before the trials."""

    run: Run
    execution: str
    """The ARN of the execution."""
    redrives: int
    """How often it was redriven."""


class ChooseEvent(TypedDict):
    """What tune gets after the trials."""

    run: Run
    plan: Plan


class EvaluateEvent(TypedDict):
    """What evaluate gets."""

    run: Run
    training: Training
    validation: TrainingValidation


class RegisterEvent(TypedDict):
    """What register gets."""

    run: Run
    training: Training
    validation: TrainingValidation
    evaluation: Evaluation


class ThresholdEvent(TypedDict):
    """What register gets of a request for another target. The request may be anything: register checks it."""

    request: object
    execution: str
    """The ARN of the execution."""


class CollectEvent(TypedDict):
    """What collect gets."""

    run: Run
    validation: PredictionValidation
    model: Model
    prediction: Prediction


class ExplainEvent(TypedDict):
    """What explain gets after an error."""

    state: object
    """The state data, of any version."""
    execution: str
    redrives: int


class EndEvent(TypedDict):
    """What explain gets at a failed end."""

    state: object
    end: Failure
    redrives: int
    """How often the execution has been redriven now."""
    token: str
    """With which Step Functions waits for the answer."""


class GoesOn(TypedDict):
    """What explain answers at a failed end."""

    step: str | None
    """The state to which a redriven execution goes back; None: it fails."""


def is_threshold(state: State) -> bool:
    """Return whether the state is that of a request for another target."""
    return "request" in state and state["request"].get("action") == THRESHOLD


def labelled_files(run: Run) -> list[InputFile]:
    """Return the files that a run trains on, in the order in which their rows are read."""
    return [run["data"], *run.get("more_data", [])]


def known(document: object) -> State:
    """Return what is known in state data that another version of the stack, or anybody, may have written.

    Inside a part of it, keys may be missing.
    """
    if not isinstance(document, dict):
        return {}
    parts = {key: document[key] for key in State.__annotations__ if isinstance(document.get(key), dict)}
    return cast(State, parts)
