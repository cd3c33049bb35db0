"""What is generated: one command writes it all, and a stale file is named."""

import ast
import re
from pathlib import Path

import pytest

from docs import contract_tables, generate, tables

ROOT = Path(__file__).resolve().parents[3]


def test_a_missing_and_a_changed_file_are_stale_and_a_current_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "current.md").write_text("new", encoding="utf-8")
    (tmp_path / "changed.md").write_text("old", encoding="utf-8")
    texts = {"current.md": "new", "changed.md": "new", "missing.md": "new"}
    assert generate.stale(tmp_path, texts) == ["changed.md", "missing.md"]
    assert generate.write(tmp_path, texts) == ["changed.md", "missing.md"]
    assert generate.stale(tmp_path, texts) == []


def test_checking_names_the_stale_file_and_the_command_and_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "files", lambda: {"page.md": "new"})
    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().err == "page.md is stale. Run: make generate\n"
    assert not (tmp_path / "page.md").exists()
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


def test_a_page_is_filled_between_its_marks_only() -> None:
    page = "before\n<!-- make generate: steps -->\nold\n<!-- made -->\nafter\n"
    filled = generate.fill(page)
    assert filled.startswith("before\n<!-- make generate: steps -->\n")
    assert "| 1 | Prepare | `run` |" in filled
    assert filled.endswith("<!-- made -->\nafter\n")
    assert "old" not in filled
    assert generate.fill(filled) == filled


def test_an_unknown_table_is_an_error() -> None:
    with pytest.raises(KeyError, match="tables"):
        generate.fill("<!-- make generate: tables -->\n<!-- made -->")


def test_every_mark_begins_a_block_and_ends_it() -> None:
    for path in (ROOT / "docs").glob("*.md"):
        text = path.read_text(encoding="utf-8")
        begun, ended = text.count("<!-- make generate:"), text.count("<!-- made -->")
        assert begun == ended == len(generate._BLOCK.findall(text)), path.name


def test_a_table_has_a_line_for_every_key_and_every_output() -> None:
    for table, name, columns in [(tables.configuration(), "num_epoch", 4), (tables.outputs(), "ImageUri", 2)]:
        lines = table.splitlines()
        assert any(line.startswith(f"| `{name}` |") for line in lines)
        assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {columns + 1}


def test_every_parameter_of_the_template_is_in_a_group() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8").partition("\nParameters:\n")[2]
    names = re.findall(r"^  (\w+):$", template.partition("\nRules:\n")[0], re.MULTILINE)
    assert sorted(names) == sorted(re.findall(r"^\| `(\w+)` \|", tables.parameters(), re.MULTILINE))


def test_every_fault_of_the_table_is_proved() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert page.count("`test_") > 50
    assert "**open**" not in page


@pytest.mark.parametrize(
    ("annotation", "shown"),
    [
        ("int", "int"),
        ("str | None", "str or null"),
        ("NotRequired[float]", "float"),
        ("NotRequired[str | None]", "str or null"),
        ("list[str]", "list of str"),
        ("tuple[Shard, ...]", "list of Shard"),
        ("dict[str, dict[str, str]]", "object of object of str"),
        ("Action", "train or predict"),
        ("Literal['train', 'predict']", "train or predict"),
    ],
)
def test_a_type_reads_as_json_does(annotation: str, shown: str) -> None:
    assert (
        contract_tables._type(ast.parse(annotation, mode="eval").body, {"Action": "Literal[train, predict]"})
        == shown
    )


def test_a_field_has_its_own_string_as_its_meaning() -> None:
    table = contract_tables.fields("steps.Step")
    assert "A step of the state machine." in table
    assert re.search(r"^\| `name` \| str \| Of its state", table, re.MULTILINE)


def test_every_class_of_the_contract_is_in_the_contracts() -> None:
    page = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"^\*\*`(\w+)`\*\*:", page, re.MULTILINE))
    names, bases = set(), set()
    for module in ("columns", "evaluation", "manifest", "part", "state"):
        for name, node in contract_tables.classes(module).items():
            names.add(name)
            bases |= {base.id for base in node.bases if isinstance(base, ast.Name)}
    missing = {name for name in names - shown - bases if not name.endswith(("Event", "Error"))}
    assert "Manifest" in shown
    assert not missing, "add it to a block of docs/contracts.md: make generate: fields MODULE.CLASS"
