"""Where a model comes from: lineage.json, beside its card. What the registry keeps of it is cut short."""

from typing import NotRequired, TypedDict

SCHEMA = 1


class LearnedFile(TypedDict):
    """A labelled file as it was read."""

    uri: str
    version: str | None
    """In S3; None in a bucket that keeps no versions."""
    etag: str
    size: int
    """Bytes, packed if the file is."""
    sha256: str | None
    """Of these bytes; None: a run that an older version began."""
    uploaded: NotRequired[str]
    """Of a rewritten file: when the file that it was made of was uploaded, in UTC, as ISO 8601."""
    rewritten: NotRequired["LearnedFile"]
    """The file without the rows that `claimflow forget` took out since: what to learn from now."""


class Decisions(TypedDict):
    """What people had decided and the model learned."""

    until: str
    """When the last of them was decided, in UTC, as ISO 8601."""
    file: str
    """The address of the file of them, the last of the files."""


class Program(TypedDict):
    """The program that trained."""

    revision: str | None
    """Of the code, as the image was built with; None outside an image."""
    digest: str
    """Of its sources, and of the versions of the libraries that compute."""


class Tuned(TypedDict):
    """The tuning that the settings come from."""

    job: str
    """The tuning job."""
    trial: str
    """The training job that was the best of it."""
    trials: int
    """How many were tried."""
    chosen: dict[str, object]
    """The values that it chose."""


class Lineage(TypedDict):
    """What a model was made of."""

    schema: int
    run: str
    """The name of the run that trained it."""
    job: str
    """The name of its training job."""
    files: list[LearnedFile]
    """In the order in which their rows were read: a text in several counts as in the last."""
    decisions: Decisions | None
    """None: none were among the files."""
    live_before: int | None
    """The version that was live then, with which it was compared."""
    program: Program | None
    """None: an older training image did not tell it."""
    config: dict[str, object]
    """The whole configuration but the keys that say how to tune."""
    tuned: NotRequired[Tuned]
    """Absent: nothing was tuned."""
