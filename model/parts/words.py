"""The parts that read word by word: a vocabulary, and a network on MXNet."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Self

import numpy as np

from model.config import Config
from model.data import Arrays, Examples, Split
from model.encoder import WordEncoder
from model.network import Architecture, BiLSTM, Network, TextCNN, all_devices, seed_everything
from model.parts.part import Evidence, Fitted, Part, Rows, Scores
from model.tokenizer import grouped, tokenize
from model.training import Session, train
from model.vectors import SpacyVectors


@dataclasses.dataclass(frozen=True)
class WordsPart(Part):
    """Words by number, and the network that reads them."""

    encoder: WordEncoder
    network: Network

    architecture: ClassVar[Architecture]
    shared = True
    forks = False

    @classmethod
    def check(cls, config: Config) -> None:
        """Raise VectorsError if the configuration asks for word vectors that are not there."""
        _vectors(config)

    @classmethod
    def fit(cls, rows: Rows, config: Config, session: Session) -> Fitted:
        """Learn the vocabulary and train the network."""
        encoder = WordEncoder.fit(rows.texts(), config.vocab_size, config.seq_len)
        session.say(f"{encoder.size} words")
        validation = encoder.encode(rows.validation_texts)
        encoded = [ids for group in grouped(rows.texts()) for ids in encoder.encode(group).texts]
        split = Split(Examples(encoded, rows.labels), Examples(validation.texts, rows.validation_labels))
        network = _untrained(cls.architecture, config, encoder.size, rows.classes, session.say)
        made_of = {"words": encoder.size} | _start_from(_vectors(config), network, encoder, session.say)
        result = train(network, config, split, session)
        part = cls(encoder, network)
        return Fitted(part, part.score(rows.validation_texts), made_of, result)

    def score(self, texts: Sequence[str]) -> Scores:
        """Return what the network makes of the texts."""
        encoded = self.encoder.encode(texts)
        ratios = encoded.in_vocabulary_ratios
        return Scores(self.network.logits(encoded.texts), ratios, np.ones(len(texts)))

    def evidence(self, text: str) -> Evidence:
        """Return, for each unit of the last layer, the words where it was strongest and what it adds.

        The logits are their sum and the bias of the last layer.
        """
        words = tokenize([text], self.encoder.seq_len).words
        if not words:
            return [], np.empty((0, self.network.classes))
        shares, first, last = self.network.peaks(self.encoder.encode([text]).texts[0])
        phrases = [" ".join(words[start : end + 1]) for start, end in zip(first, last, strict=True)]
        return phrases, shares.astype(np.float64)

    def arrays(self) -> Arrays:
        """Return the weights of the network."""
        return self.network.arrays()

    def described(self) -> dict[str, Any]:
        """Return the vocabulary."""
        return dataclasses.asdict(self.encoder)

    @classmethod
    def load(cls, described: Mapping[str, Any], arrays: Arrays, config: Config, classes: int) -> Self:
        """Return the saved part."""
        encoder = WordEncoder(tuple(described["vocabulary"]), described["seq_len"])
        network = Network(cls.architecture, config, encoder.size, classes)
        network.set_arrays(arrays)
        return cls(encoder, network)

    @staticmethod
    def settings_in_words(settings: Mapping[str, Any]) -> str:
        """Return how many words it knows."""
        known = f"It knows {settings['words']:,} words"
        if (with_vector := settings.get("words with a vector")) is None:
            return f"{known}."
        return f"{known}; {with_vector:,} of them started from spaCy's vectors, the others at random."


class CnnPart(WordsPart):
    """Words, read by filters over neighbouring ones."""

    title = "word-by-word network (CNN)"
    architecture = TextCNN


class LstmPart(WordsPart):
    """Words, read one after the other."""

    title = "word-by-word network (LSTM)"
    architecture = BiLSTM


def _vectors(config: Config) -> SpacyVectors | None:
    """Return the word vectors that the words start from, if the configuration asks for them."""
    return _loaded(config.spacy_model, config.embed_size) if config.use_spacy_pretrained else None


_loaded = lru_cache(maxsize=1)(SpacyVectors.load)  # looked for before a row is read, used after


def _untrained(
    architecture: Architecture, config: Config, words: int, classes: int, say: Callable[[str], None]
) -> Network:
    seed_everything(config.seed)
    network = Network(architecture, config, words, classes, devices=all_devices())
    if config.amp and network.device.device_type == "gpu":
        network.use_mixed_precision()
    elif config.amp:
        say("amp is true, but there is no GPU: training stays in float32.")
    return network


def _start_from(
    vectors: SpacyVectors | None, network: Network, encoder: WordEncoder, say: Callable[[str], None]
) -> dict[str, int]:
    """Start the words from their vectors; returns how many have one, as evaluation.json tells it."""
    if vectors is None:
        return {}
    words = encoder.vocabulary
    filled, known = vectors.fill(network.vectors(), words)
    network.use_vectors(filled)
    say(
        f"spaCy vectors of {vectors.package} for {known:,} of {len(words):,} words; "
        "the others start at random"
    )
    return {"words with a vector": known}
