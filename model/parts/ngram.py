"""The part that adds up n-grams."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from model.config import Config
from model.data import Arrays
from model.ngram_buckets import Grams
from model.ngram_sums import NgramSums
from model.ngrams import EncodedNgrams, NgramEncoder
from model.parts.part import Evidence, Fitted, Part, Rows, Scores

if TYPE_CHECKING:
    from model.training import Session

BUCKETS = "buckets"  # of the encoder, among the arrays
SCALES = {
    "none": "each counting the same",
    "idf": "rare ones counting more",
    "nb": "those that tell the categories apart counting more",
    "nb-idf": "rare ones, and those that tell the categories apart, counting more",
}


@dataclasses.dataclass(frozen=True)
class NgramPart(Part):
    """N-grams by number, and the table of their weights."""

    encoder: NgramEncoder
    sums: NgramSums

    title = "phrase model"

    @classmethod
    def fit(cls, rows: Rows, config: Config, session: "Session") -> Fitted:
        """Choose the settings that the configuration leaves to `auto`, learn, and cross-fit on all cores."""
        from model.ngram_fitting import fit  # noqa: PLC0415  what predicts compiles nothing to train with

        return fit(rows, config, session)

    def score(self, texts: Sequence[str]) -> Scores:
        """Return the sums over each text's n-grams."""
        return self.score_encoded(self.encoder.encode(texts))

    def score_encoded(self, encoded: EncodedNgrams) -> Scores:
        """Return the scores of texts that its encoder has read."""
        ratios = encoded.in_vocabulary_ratios
        return Scores(self.sums.logits(encoded.texts), ratios, np.ones(len(ratios)))

    def evidence(self, text: str) -> Evidence:
        """Return each n-gram once, with its row of the table: the logits are their sum and the bias."""
        phrases = self.encoder.phrases(text)
        numbers = np.array([number for number, _ in phrases], dtype=np.int32)
        return [phrase for _, phrase in phrases], self.sums.shares(numbers, len(numbers)).astype(np.float64)

    def arrays(self) -> Arrays:
        """Return the weights, and the bucket of each known n-gram."""
        return self.sums.arrays() | {BUCKETS: self.encoder.buckets}

    def described(self) -> dict[str, Any]:
        """Return which n-grams are looked for, and how a long text counts."""
        grams = dataclasses.asdict(self.encoder.grams)
        return grams | {"norm": self.sums.norm, "seq_len": self.encoder.seq_len}

    @classmethod
    def load(cls, described: Mapping[str, Any], arrays: Arrays, config: Config, classes: int) -> Self:
        """Return the saved part."""
        chars = tuple(described["chars"]) if described["chars"] else None
        repeats = described.get("repeats", False)  # older models have none
        grams = Grams(described["words"], described["skip"], chars, described["end"], repeats)
        encoder = NgramEncoder(grams, arrays[BUCKETS], described["seq_len"])
        return cls(encoder, NgramSums(arrays["weights"], arrays["bias"], described["norm"]))

    @staticmethod
    def settings_in_words(settings: Mapping[str, Any]) -> str:
        """Return which n-grams it adds up, and what each counts."""
        words, skip, chars = settings["ngram_words"], settings["ngram_skip"], settings["ngram_chars"]
        reads = ["single words" if words == 1 else f"phrases of up to {words} words"]
        if skip:
            reads.append(f"pairs of words with up to {skip} between them")
        if chars:
            reads.append(f"pieces of words, {chars[0]} to {chars[1]} letters long")
        if settings["ngram_end"]:
            reads.append(f"once more the last {settings['ngram_end']} words of a text")
        if settings.get("ngram_repeats") is True:
            reads.append("once more the words that a text repeats")
        often = ", the more the oftener a text has it" if settings.get("ngram_repeats") == "log" else ""
        toned = "; in a long text each counts less" if settings["ngram_norm"] == "sqrt" else ""
        known, scale = settings["n-grams"], SCALES[settings["ngram_scale"]]
        return f"It adds up {_listed(reads)} ({known:,} of them), {scale}{often}{toned}."


def _listed(parts: list[str]) -> str:
    """Join as `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
