"""The training configuration: the one source of every key, its default and what is allowed.

`make generate` makes the JSON Schema, the defaults and docs/configuration.md of it.
"""

import difflib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema

from contract import tuning as tuning_rules
from contract.evaluation import LEAST_TARGET
from contract.text import shorten
from model.allowed import allowed
from model.errors import ConfigError
from model.parts import architectures

Optimizer = Literal["adam", "adagrad", "sgd", "nag", "rmsprop"]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
# SageMaker takes 2,500 characters as a hyperparameter, and a value's JSON text may be longer than the value.
Text = Annotated[str, Field(min_length=1, max_length=300)]
Address = Annotated[str, Field(pattern=r"^(s3|https)://.+", max_length=1000)]
KernelSize = Annotated[int, Field(ge=1, le=64)]
Auto = Literal["auto"]
Width = Annotated[int, Field(ge=1, le=8)]


AUTO = "auto"


def _known(architecture: str) -> str:
    if architecture not in (AUTO, *architectures()):
        raise ValueError
    return architecture


Architecture = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"enum": [AUTO, *architectures()], "type": "string"})
]


def _ranges(tuning: dict[str, Any] | None) -> dict[str, Any] | None:
    if tuning is not None and any(tuning_rules.problems(tuning, _takes, str)):
        raise ValueError
    return tuning


# What the schema says of it is made of the rules of the keys: see `schema`.
Ranges = Annotated[dict[str, Any] | None, AfterValidator(_ranges), WithJsonSchema({"type": "object"})]

FOLDS = 5
LEAST_RATE = 1e-30  # a learning rate that has decayed; MXNet refuses those that are no normal float32


class Config(BaseModel):
    """Every key of a training, checked and complete. Keys of the original system keep their meaning."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    architecture: Architecture | None = Field(
        None,
        description="`ngram` adds up n-grams (fast), `sentence` reads with the pretrained `sentence_model`, "
        "`cnn` and `lstm` read word by word (slow); `+` mixes several. `auto` takes `ngram`, or "
        "`ngram+sentence` where that is worth its time; null leaves it to `cnn`.",
    )
    n_classes: Annotated[int, Field(ge=2, le=10_000)] | None = Field(
        None,
        description="Number of categories; null takes it from the data, a number must agree with the data.",
    )
    num_epoch: int = Field(
        8,
        ge=1,
        le=1000,
        description="Maximum number of epochs of the CNN or LSTM (passes over the training rows).",
    )
    optimizer: Optimizer = Field("adam", description="Optimizer of the CNN or LSTM.")
    seq_len: int = Field(
        1000,
        ge=1,
        le=10_000,
        description="Maximum sequence length: words of a text that are read; the rest of a longer text is"
        " not.",
    )
    vocab_size: int = Field(
        20_000,
        ge=3,
        le=10_000_000,
        description="Maximum vocabulary size of the CNN or LSTM, by frequency, padding and unknown words "
        "included.",
    )
    batch_size: int = Field(64, ge=1, le=8192, description="Batch size of the CNN or LSTM, in rows.")
    hidden_size: int = Field(128, ge=1, le=10_000, description="Hidden size of each direction of the LSTM.")
    embed_size: int = Field(
        128,
        ge=1,
        le=10_000,
        description="Embedding size, which is that of the spaCy vectors when they are used; also the "
        "number of filters of each kernel size of the CNN.",
    )
    dropout: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Dropout rate, of the embeddings and of the features that the last layer reads.",
    )
    n_layers: int = Field(1, ge=1, le=8, description="Number of layers of the LSTM; the CNN has one.")
    bidirectional: bool = Field(True, description="Whether the LSTM is bidirectional.")
    train_log_interval: int = Field(
        50, ge=1, description="Batches between two log lines with the training loss."
    )
    val_log_interval: int = Field(
        1000,
        ge=1,
        description="Batches between two validations within an epoch; each epoch also ends with one.",
    )
    learning_rate: float = Field(0.002, gt=0, le=10, description="Initial learning rate.")
    use_spacy_pretrained: bool = Field(
        False, description="Whether the embeddings start from the pretrained word vectors of `spacy_model`."
    )
    save_name: FileName = Field(
        "model", description="Name of the weights file in the artifact, without `.params`."
    )
    MODELPARAMSURL: Address | None = Field(
        None, description="Where the weights go; null is the stack's own bucket."
    )
    TRANSFORMERURL: Address | None = Field(
        None, description="Where the encoder goes; null is the stack's own bucket."
    )
    MODELCONFIGURL: Address | None = Field(
        None, description="Where the configuration goes; null is the stack's own bucket."
    )
    epoch_factor: int = Field(4, ge=1, description="Epochs between two decays of the learning rate.")
    power_decay: bool = Field(
        True,
        description="Whether the learning rate decays: learning_rate * 0.1 ** floor(epoch / epoch_factor).",
    )
    cnn: bool | None = Field(
        None,
        description="When `architecture` is null: true trains a TextCNN, false an LSTM; null is `auto`.",
    )
    wd: float = Field(0.0002, ge=0, le=1, description="Weight decay (L2 regularization).")
    kernel_size: KernelSize | Annotated[list[KernelSize], Field(min_length=1, max_length=8)] = Field(
        [2, 3, 4],
        description="Kernel size of the CNN: words under a filter; a list gives filters of several sizes.",
    )
    text_column: Text | None = Field(None, description="Column of the text; null finds it by common names.")
    label_column: Text | None = Field(
        None, description="Column of the category; null finds it by common names."
    )
    hierarchy_separator: Annotated[str, Field(min_length=1, max_length=20)] | None = Field(
        None,
        description="What stands between the levels of a category's name: with ` > `, `Electrical > Battery` "
        "lies below `Electrical`; every level is predicted and measured. null: the names are taken as they "
        "are.",
    )
    sheet: Text | None = Field(
        None, description="Sheet of an Excel workbook that is read; null reads the first."
    )
    mask: bool = Field(
        False,
        description="Whether e-mail addresses, telephone numbers, IBANs and numbers of payment cards become "
        "`[email]`, `[phone]`, `[iban]` and `[card]` before a text is stored for training, shown in a report "
        "or read by the model. Names stay; the results keep their texts.",
    )
    validation_fraction: float = Field(
        0.1, gt=0, le=0.5, description="Share of the labelled rows that are held out for validation."
    )
    folds: Literal[0] | Annotated[int, Field(ge=2, le=20)] | None = Field(
        None,
        description="Cross-fitting: parts that the training rows are cut into, each labelled by a model that "
        "has learned from the others, for the confidence, the acceptance and wrong labels; 0: the "
        "validation rows do that; null: 5, and 0 with `cnn` or `lstm`, whose training is slow.",
    )
    seed: int = Field(
        0, ge=0, le=2**31 - 1, description="Random seed; on a CPU it repeats a training exactly."
    )
    rows_per_shard: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        None, description="Rows that one prediction job labels; null chooses by the length of the file."
    )
    accuracy_bar: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None,
        description="Minimum validation accuracy of a model that goes live; it can only raise the stack's"
        " bar.",
    )
    macro_f1_bar: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None,
        description="Minimum macro F1 of a model that goes live: the mean of the categories' F1, a rare one "
        "counting as much as a common one.",
    )
    recall_floor: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None,
        description="Minimum recall of each category of a model that goes live. Where the rows are so few "
        "that chance may explain a lower one (exact binomial test at 5%), a person decides.",
    )
    recall_floor_categories: Annotated[list[Text], Field(max_length=100)] = Field(
        [], description="Categories that `recall_floor` is for; none named: all."
    )
    live_significance: Annotated[float, Field(gt=0, le=0.5)] | None = Field(
        None,
        description="Significance level of the comparison with the live model (McNemar's exact test, "
        "one-sided, on the same rows): a less accurate model is rejected where chance explains the "
        "difference with less than this probability; null rejects each that is less accurate.",
    )
    target_precision: float = Field(
        0.95,
        ge=LEAST_TARGET,
        lt=1,
        description="Minimum precision of the rows accepted without a person, held with 95% confidence "
        "(Clopper-Pearson bound).",
    )
    protect: Annotated[list[Text], Field(max_length=100)] = Field(
        [],
        description="Categories of which hardly a row may be taken for another with nobody looking: "
        "`protect_recall` of their rows are labelled right or go to a person.",
    )
    protect_recall: float = Field(
        0.95, ge=0.5, lt=1, description="Share of the rows of each category in `protect` that must be so."
    )
    sentence_model: Text = Field(
        "all_minilm_l6_v2",
        description="Package, or folder, of the pretrained sentence encoder: a BERT in the layout of "
        "Sentence Transformers.",
    )
    spacy_model: Text = Field(
        "en_core_web_md", description="spaCy package, or folder, that has the word vectors."
    )
    clip_gradient: Annotated[float, Field(gt=0)] | None = Field(
        1.0,
        description="Gradient clipping: the largest absolute value of each element of a gradient; null "
        "does not clip.",
    )
    amp: bool = Field(
        False,
        description="Automatic mixed precision: whether a GPU trains the CNN or LSTM in float16 where "
        "that is safe.",
    )
    patience: int = Field(
        2,
        ge=1,
        description="Early stopping: epochs without a better validation accuracy before training stops.",
    )
    class_weight: Literal["balanced"] | None = Field(
        None, description="`balanced` weighs each category by its inverse frequency while training."
    )
    ngram_words: Auto | Width = Field(
        "auto", description="Longest n-gram of words; `auto` chooses on a held-out part of the training rows."
    )
    ngram_skip: Auto | Annotated[int, Field(ge=0, le=8)] = Field(
        "auto",
        description="Maximum number of words skipped inside a pair of words (skip-grams); `auto` as above.",
    )
    ngram_chars: Auto | Annotated[list[Width], Field(min_length=2, max_length=2)] | None = Field(
        "auto",
        description="Shortest and longest n-gram of characters within a word; null: none; `auto` as above.",
    )
    ngram_end: Auto | Annotated[int, Field(ge=0, le=200)] = Field(
        "auto",
        description="How many of a text's last words count a second time, as features of their own; 0: "
        "none; `auto` as above.",
    )
    ngram_repeats: Auto | bool | Literal["log"] = Field(
        "auto",
        description="Whether a word that is twice in a text counts once more, and four times again; `log`: "
        "every n-gram counts 1 + log2 of its times in a text, rounded down; `auto` as above.",
    )
    ngram_least_texts: Auto | Annotated[int, Field(ge=1, le=100)] = Field(
        "auto",
        description="Fewest training texts that an n-gram must be in to be known (document frequency); "
        "`auto` as above: 1 or 2 of few rows, else 2.",
    )
    ngram_scale: Auto | Literal["none", "idf", "nb", "nb-idf"] = Field(
        "auto",
        description="Feature weighting of the n-grams: `none` is binary, `idf` inverse document "
        "frequency, `nb` the log-count ratio of naive Bayes, `nb-idf` both; `auto` as above.",
    )
    ngram_norm: Auto | Literal["none", "sqrt"] = Field(
        "auto",
        description="`sqrt` divides a text's features by the square root of their number; `auto` as above.",
    )
    ngram_optimizer: Auto | Literal["adam", "sgd"] = Field(
        "auto",
        description="Optimizer of the n-grams: Adam, or stochastic gradient descent row by row; `auto` as "
        "above: Adam in short texts.",
    )
    ngram_epochs: Auto | Annotated[int, Field(ge=1, le=100)] = Field(
        "auto", description="Number of epochs of the n-grams; `auto` as above."
    )
    ngram_features: int = Field(
        2_000_000, ge=1, le=16_000_000, description="Maximum number of n-grams, by document frequency."
    )
    allow_partial: bool = Field(
        True, description="Whether a prediction delivers what succeeded when some shards failed."
    )
    max_missing_share: float = Field(
        0.5, ge=0, le=1, description="Largest share of rows that may be missing from a partial delivery."
    )
    explain: bool = Field(
        False, description="Whether predictions name the phrases that decided, in a column `because`."
    )
    audit_share: float = Field(
        0.02,
        ge=0,
        le=1,
        description="Share of the accepted rows that people look at, too, to check the promise: at least 50 "
        "and at most 500 rows a run; 0: none.",
    )
    output: Literal["csv", "xlsx"] | None = Field(
        None,
        description="Format of the result files: `csv` (UTF-8 with a byte order mark, for Excel) or "
        "`xlsx`; null keeps the input's format.",
    )

    tuning: Ranges = Field(
        None,
        description="What `claimflow tune` tries: for each key a list of values, or `min`, `max` and `scale` "
        "(`linear` or `log`); null takes ranges that suit the architecture ([tuning](tuning.md)).",
    )
    tuning_strategy: Literal["bayesian", "random", "hyperband"] = Field(
        "bayesian",
        description="Search strategy: `bayesian` learns from the trials before, `random` does not, "
        "`hyperband` gives many trials few epochs and the best ones more.",
    )
    tuning_parallel: int = Field(
        2,
        ge=1,
        le=tuning_rules.MOST_PARALLEL,
        description="Trials at the same time, each on machines of its own.",
    )
    tuning_early_stopping: bool = Field(
        True,
        description="Whether a trial that is worse than half of the others at the same epoch is stopped; "
        "`hyperband` stops trials anyway.",
    )

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Check `values` and fill in the defaults.

        Raises ConfigError with every problem, one sentence each, naming the key, the value and what is
        allowed.
        """
        try:
            return cls.model_validate({key: _whole(value) for key, value in values.items()})
        except ValidationError as error:
            keys = dict.fromkeys(str(problem["loc"][0]) for problem in error.errors())
            raise ConfigError([_problem(key, values[key]) for key in keys]) from None

    @property
    def parts(self) -> list[str]:
        """The kinds of parts of the architecture, as in `model.parts`; of `auto`, the one that is sure."""
        return self._named.replace(AUTO, "ngram").split("+")

    @property
    def is_auto(self) -> bool:
        """Whether the training decides what the model is made of: see `model.auto`."""
        return self._named == AUTO

    @property
    def _named(self) -> str:
        return self.architecture or {None: AUTO, True: "cnn", False: "lstm"}[self.cnn]

    @property
    def fold_count(self) -> int:
        """How many folds the training rows fall into; 0: there is no cross-fitting."""
        slow = {"cnn", "lstm"} & set(self.parts)
        return self.folds if self.folds is not None else 0 if slow else FOLDS

    @property
    def kernel_sizes(self) -> list[int]:
        """The widths of the CNN's filters, always as a list."""
        return [self.kernel_size] if isinstance(self.kernel_size, int) else self.kernel_size

    def alone(self, kind: str) -> Self:
        """Return the configuration of a model of this architecture, for example of one part only."""
        return self.model_copy(update={"architecture": kind})

    def rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0: decayed from the base rate."""
        decays = epoch // self.epoch_factor if self.power_decay else 0
        return max(float(self.learning_rate * 0.1**decays), LEAST_RATE)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the configuration: for every key a default, a description and `x-allowed`.

    `x-allowed` says in words what the key may be; all who tell people read it there.
    """
    rules = Config.model_json_schema()["properties"]
    for rule in rules.values():
        del rule["title"]
        rule["x-allowed"] = allowed(rule)
    rules["tuning"] = _tuning_rule(rules)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Claimflow training configuration",
        "type": "object",
        "additionalProperties": False,
        "properties": rules,
    }


def _tuning_rule(rules: dict[str, Any]) -> dict[str, Any]:
    """Return the rule of the key `tuning`: each range lies within what its key may be."""
    bare = {
        key: {
            name: part for name, part in rule.items() if name not in {"default", "description", "x-allowed"}
        }
        for key, rule in rules.items()
        if key in tuning_rules.TUNABLE
    }
    return {
        "anyOf": [
            {
                "type": "object",
                "properties": {key: _range_rule(rule) for key, rule in bare.items()},
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": tuning_rules.MOST_RANGES,
            },
            {"type": "null"},
        ],
        "default": rules["tuning"]["default"],
        "description": rules["tuning"]["description"],
        "x-allowed": "an object that gives each key to tune a list of values, or an object with min and max "
        "within what the key may be, or null",
    }


def _range_rule(rule: dict[str, Any]) -> dict[str, Any]:
    values = {
        "type": "array",
        "items": rule,
        "minItems": 2,
        "maxItems": tuning_rules.MOST_CHOICES,
        "uniqueItems": True,
    }
    end = {"allOf": [rule, {"type": "number"}]}
    between = {
        "type": "object",
        "properties": {"min": end, "max": end, "scale": {"enum": list(tuning_rules.SCALES)}},
        "required": ["min", "max"],
        "additionalProperties": False,
    }
    return {"anyOf": [values, between]}


def _takes(key: str, value: object) -> bool:
    """Return whether a key may have a value."""
    try:
        Config.model_validate({key: _whole(value)})
    except ValidationError:
        return False
    return True


def _whole(value: object) -> object:
    """Return the value with 5.0 as 5, because JSON Schema calls both a whole number."""
    if isinstance(value, list):
        return [_whole(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _problem(key: str, value: object) -> str:
    rules = schema()["properties"]
    if key in rules:
        return f"{key} is {_shown(value)}, but must be {rules[key]['x-allowed']}."
    near = difflib.get_close_matches(key, rules, n=1)
    hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(rules)}."
    return f"{_shown(key)} is not a key of the configuration (its value is {_shown(value)}); {hint}"


def _shown(value: object) -> str:
    return shorten(json.dumps(value, ensure_ascii=False, default=str), 80)
