"""Lets the training run as an ordinary user where SageMaker starts it as root.

SageMaker mounts the folders of a job for root; so the program begins as root, hands over what it writes,
and becomes the user that CLAIMFLOW_USER names, which only the image sets.
"""

import os
import pwd
import stat
from pathlib import Path

WRITTEN = ("model", "output", "checkpoints")


def drop(base: Path) -> None:
    """Become the user CLAIMFLOW_USER, who can then read `base`/input and write the rest.

    Nothing happens where the variable is not set, or for a user who is not root. Root that cannot, without
    the capabilities or on a read-only disk, stays root and says so.
    """
    name = os.environ.get("CLAIMFLOW_USER")
    if not name or os.geteuid() != 0:
        return
    user = pwd.getpwnam(name)
    try:
        _hand_over(base, user.pw_uid, user.pw_gid)
        os.setgroups([user.pw_gid])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
    except OSError as error:
        print(f"Running as root, which cannot become the user {name} ({error.strerror}).", flush=True)
        return
    os.environ["HOME"] = user.pw_dir


def _hand_over(base: Path, uid: int, gid: int) -> None:
    for name in WRITTEN:
        (base / name).mkdir(parents=True, exist_ok=True)
        for path in _all(base / name):
            os.chown(path, uid, gid, follow_symlinks=False)
    for path in _all(base / "input"):
        mode = path.lstat().st_mode
        wanted = 0o005 if stat.S_ISDIR(mode) else 0o004
        if not stat.S_ISLNK(mode) and mode & wanted != wanted:
            path.chmod(mode | wanted | wanted << 3)


def _all(folder: Path) -> list[Path]:
    """Return the folder, if it is there, and all that is in it."""
    return [folder, *folder.rglob("*")] if folder.exists() else []
