"""The README's claims that can rot: commands, targets, links, the configuration table."""

import re
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from model.config import table
from workflow.cli import app

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
START, END = "<!-- configuration: python -m model.config --table -->\n", "<!-- end of configuration -->"


def test_the_configuration_table_is_the_one_that_the_command_prints() -> None:
    assert README.split(START)[1].split(END)[0].strip() == table().strip()


def test_every_command_is_one_of_the_command_line() -> None:
    commands = set(re.findall(r"claimflow (?:--local )?([a-z]+)", README)) - {"local"}
    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    assert commands
    assert commands <= known


def test_every_make_target_is_in_the_makefile() -> None:
    targets = set(re.findall(r"(?:`|    )make ([a-z]+)", README))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"demo", "test"} <= targets
    assert all(re.search(rf"^{target}:.*## ", makefile, re.MULTILINE) for target in targets)


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/*.md")), ids=lambda p: p.name
)
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


def names(section: str) -> list[str]:
    """Return what stands in the first column of the tables of a section."""
    cells = re.findall(
        r"^ *\| (`[^|]+`) \|", README.split(f"## {section}\n")[1].split("\n## ")[0], re.MULTILINE
    )
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def test_every_parameter_that_is_named_is_one_of_the_template() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    assert "AccuracyBar" in names("Deploy it to AWS")
    assert all(re.search(rf"^  {name}:$", template, re.MULTILINE) for name in names("Deploy it to AWS"))


def test_every_error_that_is_named_is_in_the_architecture_and_the_other_way_round() -> None:
    architecture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = architecture.split("## Errors\n")[1].split("\n## ")[0]
    known = {
        name
        for cell in re.findall(r"^\| (`[^|]+`) \|", table, re.MULTILINE)
        for name in re.findall(r"\w+", cell)
    }
    assert set(names("When something fails")) == known


def test_no_committed_file_names_a_machine_or_a_mirror() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, text=True, capture_output=True, check=True).stdout
    texts = {name: (ROOT / name).read_bytes() for name in listed.split() if (ROOT / name).is_file()}
    assert not [
        name for name, content in texts.items() if re.search(rb"/(?:root|work|home/\w+)/(?!$)", content)
    ]
