"""Whether a process id still means the process that was started.

The system gives ids out again, but never an id together with the moment at which its process began. So both
are kept, and both must match before anything is stopped.
"""

import contextlib
import json
import os
import signal
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProcessIdentity:
    """A process id and when that process began, in the system's own notation."""

    pid: int
    began: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs (one that ended and awaits its parent does not)."""
        return bool(self.began) and _began(self.pid) == self.began

    def save(self, path: Path) -> None:
        """Write it to a file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(path)

    def signal_group(self, number: int) -> None:
        """Signal its process group, if it is still there."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


def identify(pid: int) -> ProcessIdentity:
    """Identify a process that runs now (one that has ended already gets an identity that is not alive)."""
    return ProcessIdentity(pid, _began(pid))


def load_identity(path: Path) -> ProcessIdentity | None:
    """Read what `save` wrote, or None if there is no such file or it is not readable as one."""
    try:
        values = json.loads(path.read_text())
        return ProcessIdentity(int(values["pid"]), str(values["began"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def stop_left_over(folder: Path) -> None:
    """Kill the process groups whose identities lie in the folder."""
    for path in folder.glob("*.json"):
        identity = load_identity(path)
        if identity and identity.alive:
            identity.signal_group(signal.SIGKILL)
        path.unlink(missing_ok=True)


def _began(pid: int) -> str:
    """When a process began; empty if there is none. /proc on Linux, ps elsewhere (macOS)."""
    if Path("/proc/self/stat").exists():
        return _began_linux(pid)
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split(None, 1)
    return shown[1].strip() if len(shown) == 2 and not shown[0].startswith("Z") else ""


def _began_linux(pid: int) -> str:
    try:
        # The name in parentheses may hold spaces; state is field 3, start time field 22.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
