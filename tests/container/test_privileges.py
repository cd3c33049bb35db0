"""From root to an ordinary user, as far as it can be seen outside the image; tests/image sees the rest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from container.privileges import drop

from .conftest import ROOT, environment

BECOME = """
import os, pathlib, sys
from container.privileges import drop
drop(pathlib.Path(sys.argv[1]))
print(os.getuid(), os.getgroups())
"""


def test_nothing_happens_where_no_user_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLAIMFLOW_USER", raising=False)
    user = os.geteuid()
    drop(tmp_path)
    assert os.geteuid() == user
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_root_hands_over_what_is_written_and_becomes_the_user(tmp_path: Path) -> None:
    secret = tmp_path / "input" / "data" / "rows.csv"
    secret.parent.mkdir(parents=True)
    secret.write_text("row,text\n", encoding="utf-8")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "1.json").write_text("{}", encoding="utf-8")
    for path in (tmp_path / "input", tmp_path / "input" / "data", secret):
        path.chmod(0o700 if path.is_dir() else 0o600)
    done = subprocess.run(
        [sys.executable, "-c", BECOME, str(tmp_path)],
        cwd=ROOT,
        env=environment(CLAIMFLOW_USER="nobody"),
        capture_output=True,
        text=True,
        check=True,
    )
    uid, groups = done.stdout.split(maxsplit=1)
    assert int(uid) != 0
    assert "0" not in groups.strip("[]\n").split(", ")
    written = ["model", "output", "checkpoints", "checkpoints/1.json"]
    assert {(tmp_path / name).stat().st_uid for name in written} == {int(uid)}
    assert secret.stat().st_uid == 0
    assert secret.stat().st_mode & 0o777 == 0o644
    assert secret.parent.stat().st_mode & 0o777 == 0o755
