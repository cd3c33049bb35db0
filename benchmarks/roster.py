"""Who is measured. The one place that names Claimflow's configurations and the peers' settings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError
from model.config import Config
from model.errors import ConfigError

ROOT = Path(__file__).resolve().parents[1]
TARGET_PRECISION = 0.98  # of accepted rows, in every measurement
ORIGINAL = ROOT / "config" / "original.json"  # the network of the system that Claimflow replaces
APP, PEERS = "app", "benchmarks"  # environments, under .venv
PRECISIONS = (0.9, 0.95, 0.98)  # targets at which the accepted rows are told
SMALL = "imdb-5000"
FEW = ("banking77-5", "banking77-10", "banking77-20")
NOISY = "banking77-noisy"
CLAIMS = "claims"
BEFORE = "f4c45db"  # the commit with which the first version of the classifier ended
DEVELOPMENT = ("cr", "subj", "mpqa", "hwu64", "r8", "ohsumed")
CHINESE, TWO_LANGUAGES = "chinese", "two-languages"
DRAWN = {name: f"{name}-drawn" for name in ("imdb", "banking77", *DEVELOPMENT)}
FOREIGN = {name: f"banking77-{name}" for name in ("hwu64", "ohsumed")}
SHORT = ("banking77", *FEW, NOISY, *DEVELOPMENT, CHINESE, TWO_LANGUAGES)
EVERY = ("imdb", *SHORT)
SLOW_CORES = 2


@dataclass(frozen=True)
class Contender:
    """One line of the tables: a module of `benchmarks.contenders`, what it is told, and who can run it."""

    name: str
    title: str
    module: str
    environment: str = PEERS
    options: Mapping[str, Any] = field(default_factory=dict)
    original: bool = False  # whether it takes its options from config/original.json
    datasets: tuple[str, ...] = ("imdb", "banking77")  # that it is measured on
    slow: bool = False  # measured once only, on two cores
    commit: str | None = None  # of Claimflow, if it is not this one

    @property
    def ours(self) -> bool:
        """Whether it is Claimflow."""
        return self.environment == APP

    @property
    def cores(self) -> int:
        """On how many cores it is measured."""
        return SLOW_CORES if self.slow else 1

    @property
    def python(self) -> Path:
        """The interpreter that has its library."""
        return ROOT / ".venv" / self.environment / "bin" / "python"

    def order(self) -> dict[str, Any]:
        """Return its options as its module takes them; raises BenchmarkError at a wrong configuration."""
        if not (self.ours or self.original):
            return dict(self.options)
        keys = original() if self.original else self.options["config"]
        try:
            complete = Config.parse(keys)
        except ConfigError as error:
            raise BenchmarkError(f"The configuration of {self.name} is wrong: {error}") from error
        if not self.ours:
            return complete.model_dump()
        return {"config": {"target_precision": TARGET_PRECISION, **keys}}


def claimflow(name: str, title: str, config: Mapping[str, Any], **changes: Any) -> Contender:  # noqa: ANN401
    """Return a contender for one configuration of Claimflow, of which `config` names the keys that differ.

    `changes` are further fields of the contender.
    """
    options = {"config": dict(config)}
    return Contender(f"claimflow-{name}", f"Claimflow, {title}", "claimflow", APP, options, **changes)


# What `auto` chooses on the training rows of IMDb, as claimflow-auto shows.
IMDB_NGRAMS = {
    "architecture": "ngram",
    "ngram_words": 3,
    "ngram_skip": 0,
    "ngram_chars": None,
    "ngram_end": 20,
    "ngram_repeats": False,
    "ngram_scale": "nb",
    "ngram_norm": "sqrt",
    "ngram_optimizer": "adam",
    "ngram_epochs": 2,
}
BEST = {"architecture": "ngram+cnn"}
NGRAMS = {"architecture": "ngram"}
SENTENCES = {"architecture": "ngram+sentence"}
# Every tenth category of Banking77, in the order of their names.
PROTECTED = [
    "Refund_not_showing_up",
    "card_about_to_expire",
    "cash_withdrawal_charge",
    "disposable_card_limits",
    "getting_spare_card",
    "pin_blocked",
    "top_up_limits",
    "verify_source_of_funds",
]
# config/original.json is for two categories, and takes spaCy's vectors, which cannot be had everywhere.
OF_ORIGINAL = {"n_classes": None, "use_spacy_pretrained": False, "val_log_interval": 1000}

ROSTER = [
    claimflow("auto", "as it comes", {}, datasets=(*EVERY, *DRAWN.values(), *FOREIGN.values())),
    claimflow("ngram-auto", "n-grams alone", NGRAMS, datasets=(*EVERY, *DRAWN.values(), *FOREIGN.values())),
    claimflow("ngram", "n-grams", IMDB_NGRAMS | {"seq_len": 3000}, datasets=("imdb",)),
    claimflow("before", f"n-grams at {BEFORE}", {}, datasets=("imdb", "banking77"), commit=BEFORE),
    claimflow("protected", "categories protected", {"protect": PROTECTED}, datasets=("banking77",)),
    claimflow("claims", "n-grams and sentences", SENTENCES, datasets=(CLAIMS,), slow=True),
    claimflow("best", "n-grams and CNN", IMDB_NGRAMS | BEST, datasets=("imdb",), slow=True),
    claimflow("original", "the original's CNN", {}, original=True, datasets=(SMALL,), slow=True),
    Contender(
        "fasttext", "fastText, bigrams", "fasttext_bigrams", options={"lr": 1.0, "epoch": 10}, datasets=EVERY
    ),
    Contender(
        "fasttext-10",
        "fastText, bigrams, 10 dimensions",
        "fasttext_bigrams",
        options={"lr": 1.0, "epoch": 10, "dim": 10},
    ),
    Contender("tfidf-logistic", "TF-IDF, logistic regression", "tfidf", options={"linear": "logistic"}),
    Contender("tfidf-svc", "TF-IDF, linear SVC", "tfidf", options={"linear": "svc"}),
    Contender(
        "wordchar-svc",
        "TF-IDF of words and characters, linear SVC",
        "tfidf",
        options={"linear": "wordchar"},
        datasets=EVERY,
    ),
    Contender(
        "minilm-logistic",
        "frozen MiniLM, logistic regression",
        "minilm",
        options={"C": [5, 50]},
        datasets=SHORT,
    ),
    Contender("nbsvm", "NB-SVM, 1 to 3 words", "nbsvm", options={"C": 0.01}),
    Contender("spacy-bow", "spaCy textcat, bag of words", "spacy_bow", options={"epochs": 5}),
    Contender(
        "torch-textcnn",
        "PyTorch, the original's CNN",
        "torch_textcnn",
        original=True,
        datasets=(SMALL,),
        slow=True,
    ),
]


def chosen(names: str | None) -> list[Contender]:
    """Return the contenders of a list with commas, or all; raises BenchmarkError at a name that is none."""
    known = {contender.name: contender for contender in ROSTER}
    wanted = [name.strip() for name in names.split(",")] if names else list(known)
    if unknown := [name for name in wanted if name not in known]:
        raise BenchmarkError(f"There is no contender {unknown[0]!r}; there are {', '.join(known)}.")
    return [known[name] for name in wanted]


def original() -> dict[str, Any]:
    """Return the keys of the original's configuration, but for those that stand in the way here."""
    try:
        keys: dict[str, Any] = json.loads(ORIGINAL.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BenchmarkError(f"config/{ORIGINAL.name} cannot be read ({error}).") from error
    return keys | OF_ORIGINAL
