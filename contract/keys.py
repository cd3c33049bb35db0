"""Where things lie in the buckets: every key is written here, once (see docs/contracts.md)."""

import re

from contract.state import Run

TRAIN_PREFIX = "train/"
PREDICT_PREFIX = "predict/"
PREDICT_FOLDER = "predict"  # of a run: what its prediction works with
SHARD, PART, FAILURE = "shard-", "part-", "failure-"  # each followed by the shard's number
REQUESTS_PREFIX = "requests/"  # of the command line's uploads
CONFIG_KEY = "config/config.json"
CONFIG_BYTES = 200_000  # at most; what is given in a request itself cannot be much larger

RUNS_PREFIX = "runs/"  # of the work of runs, in the artifacts bucket; it expires, with its texts
MODELS_PREFIX = "models/"  # of what trainings leave, in the artifacts bucket; it stays

# The channels of a training job: what is learned from, what judges, the live model with the rows held out
# for it, and a model that is trained already and only to be compared.
TRAIN, VALIDATION = "train", "validation"
CHAMPION, CHAMPION_VALIDATION, CHALLENGER = "champion", "champion_validation", "challenger"
TRIAL_TRAIN, TRIAL_VALIDATION = "trial_train", "trial_validation"  # the same of the training rows alone
NOTES = "notes.json"  # of validation, beside the rows that judge
PROGRAM = "program.json"  # of a training, beside evaluation.json: which program it was

# The files of a run in the results bucket, beside those that `result_name` names after the input.
REPORT, EVALUATION, CHECKS = "report.html", "evaluation.json", "validation.json"
TRIALS, TRIALS_REPORT = "trials.csv", "trials.html"  # of a tuning
SUSPECTS = "suspects.csv"  # as training leaves them; people get them named after the input
RESULTS_MANIFEST = "manifest.json"  # for programs: it names the files that are there anyway
QUEUE_FOLDER = "queue"  # of the desk's files, below the folder of the results
QUEUE_INDEX, QUEUE_ROWS = f"{QUEUE_FOLDER}/index.json", f"{QUEUE_FOLDER}/rows.jsonl"
RESULT_KINDS = ("results", "review", "rejected", "suspects")

GOING_LIVE = "locks/going-live.json"  # who makes a model live at this moment
LIVE_PREFIX = "live/"
LIVE_KEYS = {
    "MODELPARAMSURL": f"{LIVE_PREFIX}model.params",
    "TRANSFORMERURL": f"{LIVE_PREFIX}encoder.json",
    "MODELCONFIGURL": f"{LIVE_PREFIX}config.json",
}

# What is no part of a file's name for people: `claims.csv.gz` is `claims`.
_EXTENSION = re.compile(r"\.(csv|tsv|tab|txt|xlsx|xlsm|jsonl|ndjson|json)(\.gz)?$", re.IGNORECASE)
_NOT_IN_FILE_NAMES = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')


def stem(key: str) -> str:
    """Return a file's name without its extension, as at most 32 letters, digits and hyphens.

    >>> stem("predict/Claims of May (2).csv.gz")
    'Claims-of-May-2'
    """
    name = _EXTENSION.sub("", key.rsplit("/", 1)[-1])
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:32].strip("-") or "file"


def is_table(name: str) -> bool:
    """Return whether a file's name is one of the formats that are read."""
    return bool(_EXTENSION.search(name))


def result_name(key: str, kind: str, extension: str = "csv") -> str:
    """Return the name of a file for people: `claims.results.csv` for the results of `claims.csv.gz`.

    The input's name stays as it is but for what no file system takes, and is cut to 60 characters.

    >>> result_name("predict/May claims.csv.gz", "review")
    'May claims.review.csv'
    >>> result_name("predict/claims.xlsx", "results", "xlsx")
    'claims.results.xlsx'
    """
    name = _NOT_IN_FILE_NAMES.sub("-", _EXTENSION.sub("", key.rsplit("/", 1)[-1]))
    return f"{name.strip(' .')[:60].strip(' .') or 'file'}.{kind}.{extension}"


def kind(name: str) -> str:
    """Return what a result file is, without the input's name: `results.csv` for `claims.results.csv`."""
    of, _, rest = name.rpartition(".")[0].rpartition(".")
    return f"{rest}.{name.rsplit('.', 1)[-1]}" if of and rest in RESULT_KINDS else name


def request(digest: str, name: str) -> str:
    """Return the key of a file that the command line uploads; `digest` is that of its content."""
    return f"{REQUESTS_PREFIX}{digest}/{name}"


def run_prefix(run_id: str) -> str:
    """Return the folder of a run's work in the artifacts bucket, without the last slash."""
    return f"{RUNS_PREFIX}{run_id}"


def prediction_results(run: Run) -> str:
    """Return the folder, in the results bucket, of what people open of a prediction.

    A run that trains and then predicts has a report and rejected rows of both, so those of its prediction
    lie apart.
    """
    return run["name"] if run["action"] == "predict" else f"{run['name']}/{PREDICT_FOLDER}"


def suspects_of(folder: str) -> str:
    """Return the name under which decisions of a training's suspects are kept, from its folder of results."""
    return f"{folder}/suspects"


def config(run_id: str) -> str:
    """Return the key of a run's checked configuration."""
    return f"{run_prefix(run_id)}/config.json"


def channel(run_id: str, name: str) -> str:
    """Return the folder of a training channel, with its slash: `train` must not match `training`."""
    return f"{run_prefix(run_id)}/{name}/"


def channel_part(run_id: str, name: str) -> str:
    """Return the key of the one file of a training channel."""
    return f"{channel(run_id, name)}{part_name(0)}"


def notes(run_id: str) -> str:
    """Return the key of what validation noticed about a labelled file, next to the rows that judge."""
    return f"{channel(run_id, VALIDATION)}{NOTES}"


def training_output(run_id: str) -> str:
    """Return the folder of what training jobs leave, one for each, without the last slash."""
    return f"{MODELS_PREFIX}{run_id}"


def checkpoints(run_id: str) -> str:
    """Return the folder of the checkpoints of a training, without the last slash."""
    return f"{run_prefix(run_id)}/checkpoints"


def trials(run_id: str) -> str:
    """Return the folder of what the trials of a tuning leave, without the last slash."""
    return f"{run_prefix(run_id)}/trials"


def card(model_uri: str) -> str:
    """Return the address of a model's card, from that of its model.tar.gz: `models/RUN/JOB/card.json`."""
    return f"{model_uri.rsplit('/', 2)[0]}/card.json"


def lineage(model_uri: str) -> str:
    """Return the address of what a model was made of, beside its card."""
    return f"{model_uri.rsplit('/', 2)[0]}/lineage.json"


def shard(run_id: str, index: int) -> str:
    """Return the key of the rows that one Batch job predicts."""
    return f"{run_prefix(run_id)}/{PREDICT_FOLDER}/{SHARD}{index:05d}.csv"


def shard_manifest(run_id: str) -> str:
    """Return the key of the shard manifest."""
    return f"{run_prefix(run_id)}/{PREDICT_FOLDER}/manifest.json"


def rejected_rows(run_id: str) -> str:
    """Return the key of the rows of a file to predict that are left out, as collect reads them."""
    return f"{run_prefix(run_id)}/{PREDICT_FOLDER}/rejected.csv"


def parts(run_id: str, action: str, job_name: str) -> str:
    """Return the folder of the predicted parts, without the last slash.

    The id of a run that trains first does not tell which model predicts, so its executions do not share one.
    """
    folder = f"{run_prefix(run_id)}/{PREDICT_FOLDER}/parts"
    return folder if action == "predict" else f"{folder}/{job_name}"


def part_name(index: int) -> str:
    """Return the file name of a predicted part."""
    return f"{PART}{index:05d}.csv"


def failure_name(index: int) -> str:
    """Return the file name of the sentence that a failed shard leaves."""
    return f"{FAILURE}{index:05d}.txt"
