"""A pretrained sentence encoder: a text becomes a vector whose direction tells what it means.

It reads models in the layout of Sentence Transformers (Reimers & Gurevych 2019, arXiv:1908.10084): a BERT
whose token states are averaged, or whose first one counts. Files are data: nothing of a package is run.
"""

import hashlib
import importlib.util
import itertools
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np

from contract import strict_json
from model.data import Floats
from model.errors import SentenceModelError
from model.plain_bert import BertShape, PlainBert

if TYPE_CHECKING:
    from model.bert import SentenceNetwork

Folder: TypeAlias = Path | zipfile.Path
Tokenizer: TypeAlias = Any  # tokenizers.Tokenizer, imported only when it is needed

CONFIG, WEIGHTS, TOKENIZER, POOLING = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "1_Pooling/config.json",
)
MODULES, WINDOW = "modules.json", "sentence_bert_config.json"  # need not be there
PACKED = "model.zip"  # in a package that has its model packed
MODULE_KINDS = {"Transformer", "Pooling", "Normalize"}  # the last parts of their types' names
SIZES = (
    "hidden_size",
    "num_attention_heads",
    "num_hidden_layers",
    "intermediate_size",
    "vocab_size",
    "max_position_embeddings",
)  # of config.json, whole numbers above 0

# The models that are known, with the digests that they were published with.
KNOWN = {
    "all_minilm_l6_v2": {
        WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    }
}

PADDING = 0  # the token that a text without any is read as
CHUNK = 1024  # texts that are sorted by length together
BATCH_TOKENS = 2048  # padding included
FEW_TOKENS = 1024  # of a chunk: read without MXNet, which takes seconds to begin
WIDTHS = (
    8,
    16,
    24,
    32,
    48,
    64,
    96,
    128,
    192,
    256,
    384,
    512,
)  # that texts are padded to: few, so memory stays flat


@dataclass(frozen=True)
class SentenceEncoder:
    """A sentence encoder that was read and checked; its network is made when it is first used."""

    name: str
    digest: str
    """sha256 over the files that decide what a vector is."""
    size: int
    """Numbers of a vector."""
    window: int
    """Tokens of a text that are read, the two around it included."""
    files: Mapping[str, bytes]

    @classmethod
    def load(cls, name: str) -> Self:
        """Read the model of an installed package, or of a folder.

        Raises SentenceModelError when it is not there, is damaged, is not the one that was published under
        its name, or is of a kind that is not read.
        """
        files = _read(name)
        config = _json(name, files, CONFIG)
        _check(name, files, config)
        digests = [hashlib.sha256(files[file]).digest() for file in (CONFIG, WEIGHTS, TOKENIZER, POOLING)]
        positions = config["max_position_embeddings"]
        window = _json(name, files, WINDOW).get("max_seq_length") if WINDOW in files else None
        if window is not None and not _is_size(window):
            raise _refused(name, f"max_seq_length in its {WINDOW} is {window!r}, not a number above 0")
        return cls(
            name,
            hashlib.sha256(b"".join(digests)).hexdigest(),
            config["hidden_size"],
            min(window or positions, positions, WIDTHS[-1]),
            files,
        )

    def encode(self, texts: Iterable[str]) -> Floats:
        """Return the vector of each text, of length 1, shape (texts, size), whatever stands beside it."""
        vectors = list(self.encoded(texts))
        return np.concatenate(vectors) if vectors else np.empty((0, self.size), dtype=np.float32)

    def encoded(self, texts: Iterable[str]) -> Iterator[Floats]:
        """Yield the vectors of the texts in blocks of CHUNK, the last one shorter."""
        stream = iter(texts)
        while chunk := list(itertools.islice(stream, CHUNK)):
            yield self._encode(chunk)

    def _encode(self, texts: list[str]) -> Floats:
        ids = [each.ids for each in self._tokenizer.encode_batch(texts)]
        if sum(map(len, ids)) <= FEW_TOKENS:
            return np.array([self._plain.vector(each or [PADDING]) for each in ids])
        return self._encode_many(ids)

    def _encode_many(self, ids: list[list[int]]) -> Floats:
        vectors = np.empty((len(ids), self.size), dtype=np.float32)
        for places, width in _batches([len(each) for each in ids]):
            rows = max(
                BATCH_TOKENS // width, 1
            )  # always the same for a width: MXNet plans memory for each shape
            padded, lengths = np.zeros((rows, width), dtype=np.float32), np.ones(rows, dtype=np.float32)
            for row, place in enumerate(places):
                padded[row, : len(ids[place])] = ids[place]
                lengths[row] = max(len(ids[place]), 1)  # a text without a token is read as padding
            vectors[places] = self._network.vectors(padded, lengths)[: len(places)]
        return vectors

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer as Reader  # noqa: PLC0415  a model without this part does not need it

        try:
            tokenizer = Reader.from_buffer(self.files[TOKENIZER])
        except Exception as error:  # the library has no type of its own
            raise _unreadable(self.name, TOKENIZER, error) from error
        if tokenizer.get_vocab_size() > _json(self.name, self.files, CONFIG)["vocab_size"]:
            raise _refused(self.name, f"its {TOKENIZER} has more tokens than its {CONFIG} says")
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.window)
        return tokenizer

    @cached_property
    def _plain(self) -> PlainBert:
        """The network in NumPy, whose weights were checked."""
        from safetensors import SafetensorError  # noqa: PLC0415  as above
        from safetensors.numpy import load  # noqa: PLC0415

        config = _json(self.name, self.files, CONFIG)
        try:
            weights = {
                name.removeprefix("bert."): array.astype(np.float32, copy=False)
                for name, array in load(self.files[WEIGHTS]).items()
            }
            shape = BertShape(
                units=config["hidden_size"],
                heads=config["num_attention_heads"],
                layers=config["num_hidden_layers"],
                hidden=config["intermediate_size"],
                epsilon=config["layer_norm_eps"],
                activation=config["hidden_act"],
                words=config["vocab_size"],
                positions=config["max_position_embeddings"],
            )
            shape.check(weights)
        except (SafetensorError, KeyError, ValueError, TypeError) as error:
            raise _unreadable(self.name, WEIGHTS, error) from error
        if not all(np.isfinite(array).all() for array in weights.values()):
            raise _refused(self.name, f"its {WEIGHTS} holds a weight that is no finite number")
        return PlainBert(shape, weights, _pools_mean(self.name, self.files))

    @cached_property
    def _network(self) -> "SentenceNetwork":
        from model.bert import SentenceNetwork  # noqa: PLC0415  it imports MXNet

        return SentenceNetwork(self._plain.shape, self._plain.weights, mean=self._plain.mean)


def _batches(lengths: list[int]) -> Iterator[tuple[list[int], int]]:
    """Yield the places of texts of similar length, and the width that holds them."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    for width, places in itertools.groupby(order, key=lambda place: _width(lengths[place])):
        of_width = list(places)
        rows = max(BATCH_TOKENS // width, 1)
        yield from ((of_width[start : start + rows], width) for start in range(0, len(of_width), rows))


def _width(length: int) -> int:
    return next(width for width in WIDTHS if length <= width)


def _read(name: str) -> dict[str, bytes]:
    """Return the files of a model by name."""
    folder = _folder(name)
    names = (CONFIG, WEIGHTS, TOKENIZER, POOLING, MODULES, WINDOW)
    files = {}
    for file in names:
        try:
            if folder.joinpath(file).is_file():
                files[file] = folder.joinpath(file).read_bytes()
        except (OSError, zipfile.BadZipFile, zlib.error) as error:
            raise _unreadable(name, file, error) from error
    for file in (CONFIG, WEIGHTS, TOKENIZER, POOLING):
        if file not in files:
            raise SentenceModelError(
                f"The sentence model {name!r}, which sentence_model names, lacks the file {file}; it must "
                "have the layout of Sentence Transformers."
            )
    for file, digest in KNOWN.get(name, {}).items():
        if hashlib.sha256(files[file]).hexdigest() != digest:
            raise SentenceModelError(
                f"The file {file} of the sentence model {name!r} is not the one that was published; install "
                "the package again."
            )
    return files


def _folder(name: str) -> Folder:
    """Return where the files of a model lie: a folder, or a package, of which nothing is run."""
    try:
        if "/" not in name and "." not in name and (spec := importlib.util.find_spec(name)):
            places = [Path(place) for place in spec.submodule_search_locations or []]
        else:
            places = [Path(name)]
        for place in places:
            if (place / PACKED).is_file():
                return zipfile.Path(place / PACKED)
            if place.is_dir():
                return place
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise _unreadable(name, PACKED, error) from error
    raise SentenceModelError(
        f"The sentence model {name!r}, which sentence_model names, is neither an installed package nor "
        "a folder."
    )


def _check(name: str, files: Mapping[str, bytes], config: dict[str, Any]) -> None:
    """Raise SentenceModelError at a model that is not read."""
    kind, activation = config.get("model_type"), config.get("hidden_act")
    if kind != "bert":
        raise _refused(name, f"its model_type is {kind!r}, and only 'bert' is read")
    if activation not in {"gelu", "relu"}:
        raise _refused(name, f"its hidden_act is {activation!r}, and only 'gelu' and 'relu' are read")
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise _refused(name, "its positions are not absolute")
    for key in SIZES:
        if not _is_size(config.get(key)):
            raise _refused(name, f"{key} in its {CONFIG} is {config.get(key)!r}, not a number above 0")
    epsilon = config.get("layer_norm_eps")
    if not isinstance(epsilon, float) or not 0 < epsilon < 1:
        raise _refused(name, f"layer_norm_eps in its {CONFIG} is {epsilon!r}, not a number from 0 to 1")
    for kind in _modules(name, files):
        if kind.rpartition(".")[2] not in MODULE_KINDS:
            raise _refused(name, f"it has a module of the type {kind!r}")
    _pools_mean(name, files)


def _is_size(number: object) -> bool:
    return type(number) is int and number > 0


def _modules(name: str, files: Mapping[str, bytes]) -> list[str]:
    """Return the types of the modules that make a vector, none where the file is missing."""
    if MODULES not in files:
        return []
    try:
        return [str(module["type"]) for module in strict_json.parse(files[MODULES])]
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(name, MODULES, error) from error


def _pools_mean(name: str, files: Mapping[str, bytes]) -> bool:
    """Return whether the mean of all tokens counts, or else the first token."""
    pooling = _json(name, files, POOLING)
    modes = {mode for mode, used in pooling.items() if mode.startswith("pooling_mode_") and used}
    if modes not in ({"pooling_mode_mean_tokens"}, {"pooling_mode_cls_token"}):
        raise _refused(
            name, f"its pooling is {', '.join(sorted(modes)) or 'none'}, and only mean or cls is read"
        )
    return modes == {"pooling_mode_mean_tokens"}


def _json(name: str, files: Mapping[str, bytes], file: str) -> dict[str, Any]:
    try:
        content = strict_json.parse(files[file])
    except ValueError as error:
        raise _unreadable(name, file, error) from error
    if not isinstance(content, dict):
        raise _refused(name, f"its {file} holds no JSON object")
    return content


def _refused(name: str, reason: str) -> SentenceModelError:
    return SentenceModelError(
        f"The sentence model {name!r} cannot be used: {reason}; name another in sentence_model."
    )


def _unreadable(name: str, file: str, error: Exception) -> SentenceModelError:
    return SentenceModelError(f"The file {file} of the sentence model {name!r} cannot be read ({error}).")
