"""The processes of Lambda functions: their code unpacked once for all, and their life tied to the server's.

`sam deploy` uploads one zip for all functions of this project. ministack unpacks it again for every function
and after every failed call; with pandas in it that is seconds and hundreds of megabytes each time. Here a zip
is unpacked once, under its hash, and each worker's code folder is a link to it. (On AWS it cannot be written
either.)

A worker that waits sees its pipe end with the server; one that is busy would go on until its timeout.
"""

import hashlib
import shutil
import tempfile
import threading
import types
import zipfile
from pathlib import Path

from local.patches import Part, replace
from local.processes import start_tied

_lock = threading.Lock()


def install() -> None:
    """Return ministack's Lambda workers a `zipfile` and a `subprocess` that do so."""
    replace("core.lambda_runtime", "zipfile", _sharing)
    replace("core.lambda_runtime", "subprocess", _tying)


class SharedZipFile(zipfile.ZipFile):
    """A zip that is unpacked once a content; `extractall` makes the wanted folder a link to it."""

    def extractall(self, path: Part = None, members: Part = None, pwd: bytes | None = None) -> None:
        """Link the folder `path`, which is empty, to the unpacked content."""
        if self.filename is None or members is not None:
            return super().extractall(path, members, pwd)
        target = Path(path)
        with _lock:
            source = self._unpack(Path(self.filename), pwd)
        Path(self.filename).unlink()  # the copy of this worker, which nobody reads again
        target.rmdir()
        target.symlink_to(source, target_is_directory=True)
        return None

    def _unpack(self, archive: Path, pwd: bytes | None) -> Path:
        with archive.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        folder = Path(tempfile.gettempdir()) / "lambda-code" / digest
        if not folder.exists():
            draft = folder.with_suffix(".unpacking")
            shutil.rmtree(draft, ignore_errors=True)
            super().extractall(draft, None, pwd)
            draft.rename(folder)
        return folder


def _sharing(original: Part) -> Part:
    return types.SimpleNamespace(**{**vars(original), "ZipFile": SharedZipFile})


def _tying(original: Part) -> Part:
    return types.SimpleNamespace(**{**vars(original), "Popen": start_tied})
