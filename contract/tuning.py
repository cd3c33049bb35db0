"""Hyperparameter tuning: what may be tuned, between which bounds, and within which limits."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

KEYS: Final = ("tuning", "tuning_strategy", "tuning_parallel", "tuning_early_stopping")
"""The keys of the configuration that say how to tune; a training does not read them."""
TUNABLE: Final = frozenset(
    """
    architecture batch_size bidirectional class_weight clip_gradient dropout embed_size epoch_factor
    hidden_size kernel_size learning_rate n_layers num_epoch optimizer patience power_decay seq_len
    use_spacy_pretrained vocab_size wd ngram_words ngram_skip ngram_chars ngram_end ngram_repeats
    ngram_least_texts ngram_scale ngram_norm ngram_optimizer ngram_epochs ngram_features
    """.split()  # noqa: SIM905  a list to read
)
"""The keys of the configuration that change what a training learns."""
SCALES: Final = {"linear": "Linear", "log": "Logarithmic"}  # as SageMaker calls them
STRATEGIES: Final = {"bayesian": "Bayesian", "random": "Random", "hyperband": "Hyperband"}

# The limits of a request. SageMaker itself would take 750 trials and 30 of each of these.
MOST_TRIALS, TRIALS = 100, 20
LEAST_MINUTES, MOST_MINUTES, MINUTES = 2, 1_440, 60
MOST_RANGES, MOST_CHOICES, MOST_PARALLEL = 20, 30, 10

OBJECTIVE: Final = "validation:accuracy"  # the metric, by its name among the training's

_NETWORK: dict[str, Any] = {
    "learning_rate": {"min": 0.0003, "max": 0.01, "scale": "log"},
    "dropout": {"min": 0.1, "max": 0.7},
    "batch_size": [16, 32, 64],
}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "cnn": {**_NETWORK, "embed_size": {"min": 64, "max": 256, "scale": "log"}},
    "lstm": {**_NETWORK, "hidden_size": {"min": 64, "max": 256, "scale": "log"}},
    "ngram": {
        "ngram_words": {"min": 1, "max": 3},
        "ngram_chars": [None, [2, 4], [2, 5], [3, 6]],
        "ngram_scale": ["none", "idf", "nb", "nb-idf"],
        "ngram_norm": ["none", "sqrt"],
    },
}


def ranges(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ranges of a complete configuration: its own, or those of its kind of model."""
    if config["tuning"] is not None:
        return dict(config["tuning"])
    named = config["architecture"] or {None: "auto", True: "cnn", False: "lstm"}[config["cnn"]]
    kinds = [kind for kind in _DEFAULTS if kind in named.split("+")]
    return dict(_DEFAULTS[kinds[0] if kinds else "ngram"])


def problems(
    tuning: object, takes: Callable[[str, object], bool], allowed: Callable[[str], str]
) -> Iterator[str]:
    """Yield what is wrong with the key `tuning`, one sentence each without its full stop.

    Args:
        tuning: its value, which is not null
        takes: whether a key of the configuration may have a value
        allowed: what a key may be, in words

    """
    if not isinstance(tuning, dict) or not 1 <= len(tuning) <= MOST_RANGES:
        yield f"tuning must be an object of 1 to {MOST_RANGES} keys with their ranges, or null"
        return
    for key, given in tuning.items():
        if key not in TUNABLE:
            yield f"tuning.{key:.80} cannot be tuned; what can is {', '.join(sorted(TUNABLE))}"
        elif isinstance(given, list):
            yield from _choice_problems(key, given, takes, allowed)
        else:
            yield from _range_problems(key, given, takes, allowed)


def is_continuous(rule: Mapping[str, Any]) -> bool:
    """Return whether a key, by its rule in the JSON Schema, takes any number: else whole ones only."""
    return any(option.get("type") == "number" for option in rule.get("anyOf", [rule]))


def _choice_problems(
    key: str, given: list[Any], takes: Callable[[str, object], bool], allowed: Callable[[str], str]
) -> Iterator[str]:
    if not 2 <= len(given) <= MOST_CHOICES or any(
        value in given[:place] for place, value in enumerate(given)
    ):
        yield (
            f"tuning.{key} must be a list of 2 to {MOST_CHOICES} different values, or an object with min and "
            "max"
        )
    elif not all(takes(key, value) for value in given):
        yield f"each value of tuning.{key} must be {allowed(key)}"


def _range_problems(
    key: str, given: object, takes: Callable[[str, object], bool], allowed: Callable[[str], str]
) -> Iterator[str]:
    if not isinstance(given, dict) or not {"min", "max"} <= given.keys() <= {"min", "max", "scale"}:
        yield f"tuning.{key} must be a list of values, or an object with min, max and, if you like, scale"
        return
    least, most, scale = given["min"], given["max"], given.get("scale", "linear")
    if not all(_is_number(end) for end in (least, most)):
        yield f"min and max of tuning.{key} must be numbers; of what is no number, list the values"
    elif not least < most:
        yield f"min of tuning.{key} must be below its max"
    elif not all(takes(key, end) for end in (least, most)):
        yield f"min and max of tuning.{key} must be {allowed(key)}"
    if scale not in tuple(SCALES):
        yield f"scale of tuning.{key} must be one of {', '.join(SCALES)}"
    elif scale == "log" and _is_number(least) and least <= 0:
        yield f"min of tuning.{key} must be above 0 on the scale log"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
