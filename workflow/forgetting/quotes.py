"""Pages, JSON documents, and archives of both, as they are without the texts of a claim that they quote."""

import hashlib
import html
import io
import json
import re
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contract import keys
from contract.columns import REMOVED
from workflow.forgetting.claims import Claim
from workflow.forgetting.tables import NotReadableError, opened

TEXT = "text"  # the key of a quoted text
MANIFEST = "manifest.json"  # of a model: the digests of its other files
_SHOWN = re.compile(r'(<td class="text long">|<q>)([^<]*)(?=<)')
_QUOTING = {keys.EVALUATION, keys.REPORT, keys.SUSPECTS}


def page(content: bytes, claim: Claim) -> tuple[bytes, int]:
    """Return a page without the texts of a claim, and how many it showed."""
    found = 0

    def hide(match: re.Match[str]) -> str:
        nonlocal found
        if not claim.is_quote(html.unescape(match[2])):
            return match[0]
        found += 1
        return match[1] + REMOVED

    return _SHOWN.sub(hide, content.decode()).encode(), found


def document(content: bytes, claim: Claim) -> tuple[bytes, int]:
    """Return a JSON document without the texts of a claim, and how many it had."""
    try:
        read = json.loads(content)
    except ValueError as error:
        raise NotReadableError("it is no JSON document") from error
    found = _hide(read, claim)
    if not found:
        return content, 0
    return json.dumps(read, indent=2, ensure_ascii=False).encode() + b"\n", found


def archive(path: Path, to: Path, claim: Claim) -> int:
    """Write a tar.gz anew, its pages, documents and suspects without a claim; returns how many it had.

    A manifest among the files, as a model has one, gets the digests of what changed.
    """
    try:
        changed = _changed(path, claim)
        found = sum(count for _, count in changed.values())
        if found:
            _write_archive(path, to, {name: content for name, (content, _) in changed.items()})
    except (tarfile.TarError, zlib.error, OSError, EOFError) as error:
        raise NotReadableError(f"it is damaged ({error})") from error
    return found


def suspects(path: Path, to: Path, claim: Claim, *, keep_places: bool) -> int:
    """Write a file of suspects anew; returns how many rows changed.

    With `keep_places` a row leaves an empty one: people's decisions name the rows by their places.
    """
    from workflow.forgetting.files import without_copies  # noqa: PLC0415  it needs `archive`

    table = opened(path, TEXT, None if keep_places else ",")
    return table.rewrite(to, without_copies(table, claim, keep_places=keep_places)) if table else 0


def _hide(value: Any, claim: Claim) -> int:  # noqa: ANN401  JSON is anything
    if isinstance(value, list):
        return sum(_hide(each, claim) for each in value)
    if not isinstance(value, dict):
        return 0
    found = sum(_hide(each, claim) for each in value.values())
    text = value.get(TEXT)
    if isinstance(text, str) and claim.is_quote(text):
        value[TEXT] = REMOVED
        found += 1
    return found


def _changed(path: Path, claim: Claim) -> dict[str, tuple[bytes, int]]:
    """Return the members that quote a claim, by name, as they are without it; all of them are small."""
    found: dict[str, tuple[bytes, int]] = {}
    manifest: dict[str, Any] | None = None
    with tarfile.open(path, "r:gz") as source:
        for member in source:
            name = member.name.rsplit("/", 1)[-1]
            file = source.extractfile(member) if member.isreg() else None
            if file is None or name not in _QUOTING | {MANIFEST}:
                continue
            content = file.read()
            if name == MANIFEST:
                manifest = json.loads(content)
                continue
            made, count = _member(name, content, claim)
            if count:
                found[name] = made, count
    if manifest and found:
        digests = {name: hashlib.sha256(content).hexdigest() for name, (content, _) in found.items()}
        manifest["files"] |= {name: each for name, each in digests.items() if name in manifest["files"]}
        found[MANIFEST] = json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n", 0
    return found


def _member(name: str, content: bytes, claim: Claim) -> tuple[bytes, int]:
    if name == keys.SUSPECTS:
        return _on_disk(content, lambda path, to: suspects(path, to, claim, keep_places=False))
    return page(content, claim) if name == keys.REPORT else document(content, claim)


def _on_disk(content: bytes, change: Callable[[Path, Path], int]) -> tuple[bytes, int]:
    import tempfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="claimflow-") as folder:
        path, to = Path(folder) / "before", Path(folder) / "after"
        path.write_bytes(content)
        found = change(path, to)
        return (to.read_bytes() if found else content), found


def _write_archive(path: Path, to: Path, changed: dict[str, bytes]) -> None:
    with tarfile.open(path, "r:gz") as source, tarfile.open(to, "w:gz", compresslevel=6) as target:
        for member in source:
            content = changed.get(member.name.rsplit("/", 1)[-1]) if member.isreg() else None
            if content is None:
                target.addfile(member, source.extractfile(member) if member.isreg() else None)
            else:
                member.size = len(content)
                target.addfile(member, io.BytesIO(content))
