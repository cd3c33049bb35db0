"""The shard manifest: what validate hands to the prediction and to collect, and its JSON."""

import json
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

SCHEMA = 1


class ManifestError(ValueError):
    """A file is no shard manifest, or one that this version does not read; the text is one sentence."""


@dataclass(frozen=True)
class Shard:
    """Rows that one Batch job predicts."""

    uri: str
    rows: int
    sha256: str = ""
    """Of the file; empty in a manifest of an early version."""


@dataclass(frozen=True)
class Source:
    """The version of the input file that was checked; collect reads the same bytes again."""

    uri: str
    version: str | None
    etag: str
    size: int


@dataclass(frozen=True)
class Reading:
    """How the input file was read."""

    format: str
    """`csv`, `xlsx` or `jsonl`."""
    encoding: str
    delimiter: str
    byte_order_mark: bool
    sheet: str | None
    described: str
    """In words, as in "read as …"; empty for a CSV file as it should be."""


@dataclass(frozen=True)
class Manifest:
    """The shard manifest."""

    run: str
    """The id of the run."""
    output: str
    """The address of the folder of the parts."""
    source: Source
    shards: tuple[Shard, ...]
    columns: tuple[str, ...]
    """The header of the input file."""
    text_column: str
    label_column: str | None
    """The column with the given categories, if there is one."""
    rows: int
    """All data rows of the input file, rejected ones too."""
    rejected: int
    rejected_uri: str
    """The address of the rejected rows for people."""
    rejected_rows: str
    """The address of the rejected rows as collect reads them."""
    reading: Reading
    explain: bool = False
    """Whether the parts have the column `because`."""
    target_precision: float | None = None
    """That the model got after its training; None: its own."""

    def text(self) -> str:
        """Return the manifest as JSON; `read` is the inverse."""
        document = {"schema": SCHEMA, **asdict(self)}
        return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read(content: bytes | str, address: str) -> Manifest:
    """Return the manifest that a file holds; keys that a later version added are passed over.

    Raises ManifestError, which names the `address`, for what is no manifest or is one of another schema.
    """
    try:
        document = json.loads(content)
        schema = document["schema"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        problem = "it is no JSON object with a schema"
        raise ManifestError(f"{address} is not a shard manifest: {problem}.") from error
    if schema != SCHEMA:
        raise ManifestError(
            f"{address} has schema version {str(schema)[:20]}, and this program reads {SCHEMA}: bring the "
            "image and the functions to the same version."
        )
    try:
        manifest: Manifest = _value(Manifest, document, "")
    except ValueError as error:
        raise ManifestError(f"{address} is not a shard manifest: {error}.") from error
    return manifest


def _value(kind: Any, value: Any, name: str) -> Any:  # noqa: ANN401 - any JSON, and what an annotation names
    """Return a JSON value as what an annotation says. Raises ValueError, which names the place."""
    if is_dataclass(kind):
        return _object(kind, value, name)
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(_value(get_args(kind)[0], each, f"{name}[{place}]") for place, each in enumerate(value))
    if get_origin(kind) is tuple or not isinstance(value, kind):
        raise _other(name, value)
    return value


def _object(kind: Any, value: Any, name: str) -> Any:  # noqa: ANN401
    path = f"{name}." if name else ""
    if not isinstance(value, dict):
        raise _other(name, value)
    if missing := [field for field in _required(kind) if field not in value]:
        raise ValueError(f"it has no {path}{missing[0]}")
    given = {field: hint for field, hint in _hints(kind).items() if field in value}
    return kind(**{field: _value(hint, value[field], f"{path}{field}") for field, hint in given.items()})


def _other(name: str, value: object) -> ValueError:
    return ValueError(f"its {name or 'content'} is {json.dumps(value):.40}")


@cache
def _hints(kind: Any) -> dict[str, Any]:  # noqa: ANN401
    return get_type_hints(kind)


@cache
def _required(kind: Any) -> list[str]:  # noqa: ANN401
    return [field.name for field in fields(kind) if field.default is MISSING]
