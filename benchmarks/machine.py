"""What the figures were measured on and with."""

import os
import platform
import re
import subprocess
from pathlib import Path

from benchmarks.roster import APP, PEERS, ROOT

LIBRARIES = {APP: ["mxnet", "numpy"], PEERS: ["fasttext", "scikit-learn", "spacy", "torch", "numpy"]}
ASK = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"


def machine() -> dict[str, str]:
    """Return the processor, the cores and the memory."""
    model = re.search(
        r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": model[1] if model else platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
    }


def versions() -> dict[str, str]:
    """Return the versions of Python, of Claimflow's commit and of every library, by environment."""
    found = {"python": platform.python_version(), "claimflow": commit()}
    for environment, names in LIBRARIES.items():
        python = ROOT / ".venv" / environment / "bin" / "python"
        if python.exists():
            said = subprocess.run([python, "-c", ASK, *names], text=True, capture_output=True, check=True)
            prefix = "" if environment == PEERS else "claimflow's "
            found |= {
                f"{prefix}{name}": number for name, number in zip(names, said.stdout.split(), strict=True)
            }
    return found


def commit() -> str:
    """Return the commit that is checked out, `+` if files differ from it."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"], cwd=ROOT, text=True, capture_output=True, check=False
    )
    return said.stdout.strip() or "unknown"
