"""What the README and docs/ claim and what can rot: commands, targets, links, tables."""

import re
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from contract import errors
from workflow.cli import app

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}


def test_the_readme_is_read_in_a_few_minutes_in_the_order_in_which_it_is_needed() -> None:
    lines = README.splitlines()
    assert len(lines) < 130
    assert max(map(len, lines)) <= 120
    sections = re.findall(r"^## (.+)$", README, re.MULTILINE)
    assert sections == ["Try it", "Use it", "Deploy it to AWS", "When something fails", "More"]


def test_the_tour_has_one_picture_and_at_most_100_lines() -> None:
    tour = PAGES["architecture.md"]
    assert len(tour.splitlines()) <= 100
    assert tour.count("```mermaid") == 1


def test_every_decision_says_why_and_what_else_was_considered() -> None:
    decisions = re.findall(r"^\*\*.*?(?=\n\n|\Z)", PAGES["decisions.md"], re.MULTILINE | re.DOTALL)
    assert len(decisions) > 20
    assert [text for text in decisions if "*Why:*" not in text or "*Else:*" not in text] == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached, left = set(), ["../README.md"]
    while left:
        page = left.pop()
        reached.add(page)
        text = README if page == "../README.md" else PAGES[page]
        left += {
            link.removeprefix("docs/") for link in re.findall(r"\]\(((?:docs/)?\w+\.md)", text)
        } - reached
        left = [each for each in left if each in PAGES]
    assert set(PAGES) <= reached


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


def names(page: str, section: str) -> list[str]:
    """Return what stands in the first column of the tables of a section."""
    text = page.partition(f"## {section}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^ *\| (`[^|]+`) \|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


@pytest.mark.parametrize(
    ("page", "section"),
    [(README, "Deploy it to AWS"), (PAGES["configuration.md"], "Parameters of the stack")],
    ids=["readme", "configuration"],
)
def test_every_parameter_that_is_named_is_one_of_the_template(page: str, section: str) -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    assert "AccuracyBar" in names(page, section)
    assert all(re.search(rf"^  {name}:$", template, re.MULTILINE) for name in names(page, section))


def test_every_error_is_in_the_contracts() -> None:
    assert set(names(PAGES["contracts.md"], "Errors")) == set(errors.NAMES)


def test_no_committed_file_names_a_machine_or_a_mirror() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, text=True, capture_output=True, check=True).stdout
    texts = {name: (ROOT / name).read_bytes() for name in listed.split() if (ROOT / name).is_file()}
    assert not [
        name for name, content in texts.items() if re.search(rb"/(?:root|work|home/\w+)/(?!$)", content)
    ]
