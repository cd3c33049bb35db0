"""`claimflow classify`: a text, the live model on this machine, and what is said when that cannot be."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner, Result

from contract.part import Prediction
from model.artifact import load
from model.data import Row
from model.prediction import predict
from tests.unit.workflow.fakes import add_model
from workflow import classification, cli, display, local_model, models, programs, stack
from workflow.account import Account
from workflow.errors import NOT_RUNNING

SAVED = programs.ROOT / "tests" / "unit" / "model" / "saved_before" / "ngram+cnn.tar.gz"
KEY = "models/x/job/output/model.tar.gz"
TEXTS = ["the brake squeal disc", "a piston smoke", "zzz"]


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the cache folder of the test's user; the consoles write where CliRunner listens."""
    monkeypatch.setattr(display.console, "_file", None)
    monkeypatch.setattr(display.stderr, "_file", None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def live(account: Account) -> Account:
    """Return an account with a live model."""
    register(account, SAVED.read_bytes())
    return account


def register(account: Account, body: bytes | None, uri: str = f"s3://artifacts/{KEY}", **about: str) -> None:
    """Register a version whose file is at an address; `body` is put where the product has it."""
    if body is not None:
        account.s3.put_object(Bucket="artifacts", Key=KEY, Body=body)
    account.sagemaker.create_model_package(
        ModelPackageGroupName="claimflow-models",
        ModelApprovalStatus="Approved",
        CustomerMetadataProperties=about,
        InferenceSpecification={
            "Containers": [{"Image": "claimflow", "ModelDataUrl": uri}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )


def classify(*arguments: str, typed: str | bytes | None = None) -> Result:
    return CliRunner().invoke(cli.app, ["classify", *arguments], input=typed)


def documents(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def expected(target: float | None = None, explain: bool = True) -> list[Prediction]:
    rows = [Row(number, text) for number, text in enumerate(TEXTS)]
    return list(predict(load(SAVED, target), rows, explain))


def archive(**files: bytes) -> bytes:
    """Return the saved model with other contents of some files, and a manifest that names them.

    A file's name is written with `_` for its point.
    """
    with tarfile.open(SAVED) as source:
        members = {name: source.extractfile(name) for name in source.getnames()}
        contents = {name: member.read() for name, member in members.items() if member}
    contents |= {name.replace("_", "."): content for name, content in files.items()}
    manifest = json.loads(contents["manifest.json"])
    manifest["files"] |= {name: hashlib.sha256(contents[name]).hexdigest() for name in manifest["files"]}
    return packed(contents | {"manifest.json": json.dumps(manifest).encode()})


def packed(contents: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as target:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            target.addfile(member, io.BytesIO(content))
    return made.getvalue()


def with_a_target_that_accepts_nothing() -> bytes:
    with tarfile.open(SAVED) as source:
        content = source.extractfile("evaluation.json")
        assert content is not None
        evaluation = json.load(content)
    evaluation["acceptance"]["targets"] = [
        {"target_precision": 0.99, "threshold": None, "coverage": 0.0, "precision": None, "chances": []}
    ]
    return archive(evaluation_json=json.dumps(evaluation).encode())


# What comes out


def test_a_text_gets_what_the_live_model_says_of_it(live: Account) -> None:
    (found,) = documents(classify(TEXTS[0], "--json"))
    wanted = expected()[0]
    assert found == {
        "prediction": wanted.prediction,
        "confidence": pytest.approx(wanted.confidence, abs=1e-4),
        "reason": wanted.doubt or None,
        "runner_up": wanted.runner_up,
        "model": 1,
    }


def test_the_words_that_decided_are_named_as_the_results_name_them(live: Account) -> None:
    (found,) = documents(classify(TEXTS[0], "--explain", "--json"))
    assert found["because"] == expected()[0].because != ""


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_each_line_of_the_standard_input_is_a_text_and_lines_without_one_are_passed_over(
    live: Account, arguments: list[str]
) -> None:
    found = documents(classify(*arguments, "--json", typed="\ufeff{}\r\n\n  \n{}\n{}".format(*TEXTS)))
    assert [each["line"] for each in found] == [1, 4, 5]
    wanted = expected(explain=False)
    assert [each["prediction"] for each in found] == [each.prediction for each in wanted]
    assert [each["reason"] for each in found] == [each.doubt or None for each in wanted]


def test_a_person_reads_the_category_the_confidence_the_verdict_and_the_next_likeliest(live: Account) -> None:
    wanted = expected()[0]
    shown = classify(TEXTS[0], "--explain").stdout
    assert shown.splitlines()[0] == classification.heading(wanted)
    for text in (f"{wanted.confidence:.2%}", wanted.runner_up, wanted.because, "version 1"):
        assert text in shown


@pytest.mark.parametrize(
    ("doubt", "heading"),
    [("", "Leak: accepted"), ("low confidence", "Leak: a person should look, low confidence")],
)
def test_the_heading_says_accepted_or_why_a_person_should_look(doubt: str, heading: str) -> None:
    assert classification.heading(Prediction(0, "Leak", 0.9, "Noise", doubt)) == heading


def test_of_several_texts_each_is_shown_above_its_category(live: Account) -> None:
    shown = classify(typed=f"{TEXTS[0]}\n{'long ' * 99}\n").stdout.splitlines()
    assert shown[0] == f"1  {TEXTS[0]}"
    assert any(line.startswith("2  long long") and line.endswith("…") for line in shown)


def test_a_person_who_types_gets_each_answer_before_the_next_text() -> None:
    classifier, read = load(SAVED), []

    def texts() -> Any:
        for number, text in enumerate(TEXTS):
            read.append(number)
            yield classification.Text(number + 1, text)

    answers = classification.labelled(classifier, texts(), explain=False, one_by_one=True)
    assert next(answers)[0].text == TEXTS[0]
    assert read == [0]


# Which model


def test_the_newest_approved_version_decides_at_the_target_that_it_has(account: Account) -> None:
    model = with_a_target_that_accepts_nothing()
    register(account, model)
    register(account, model, target_precision="0.99", target_of="1")
    add_model(account, 0.9, "PendingManualApproval")
    (found,) = documents(classify(TEXTS[0], "--json"))
    assert (found["model"], found["reason"]) == (2, "nothing is accepted at this target")
    account.sagemaker.update_model_package(
        ModelPackageArn=models.read_live(account, stack.read_stack(account)).arn,
        ModelApprovalStatus="Rejected",
    )
    before = classify(TEXTS[0], "--json")
    assert "Fetching" not in before.stderr  # it is the same file
    assert (documents(before)[0]["model"], documents(before)[0]["reason"]) == (1, None)


# The cache


def test_the_model_is_fetched_once_and_nobody_else_can_read_it(live: Account, home: Path) -> None:
    assert "Fetching version 1 of the model, once" in classify(TEXTS[0]).stderr
    assert classify(TEXTS[0]).stderr == ""
    (folder,) = (home / "claimflow" / "models").glob("*/*")
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in [folder, *list(folder.parents)[:3]]} == {0o700}


def test_a_file_that_changed_is_fetched_and_the_one_before_is_removed(live: Account, home: Path) -> None:
    assert classify(TEXTS[0]).exit_code == 0
    (before,) = (home / "claimflow" / "models").glob("*/*")
    live.s3.put_object(Bucket="artifacts", Key=KEY, Body=with_a_target_that_accepts_nothing())
    assert "Fetching" in classify(TEXTS[0]).stderr
    (after,) = (home / "claimflow" / "models").glob("*/*")
    assert after != before


def test_a_fetch_that_is_killed_leaves_nothing_that_is_taken_for_a_model(
    live: Account, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(local_model, "_place", killed)
        assert classify(TEXTS[0]).exit_code != 0
    assert not list((home / "claimflow" / "models").glob("*/*"))
    assert classify(TEXTS[0]).exit_code == 0


def test_two_that_fetch_at_once_both_label(live: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    place = local_model._place

    def after_the_other(unpacked: Path, folder: Path) -> None:
        shutil.copytree(unpacked, folder)
        place(unpacked, folder)

    monkeypatch.setattr(local_model, "_place", after_the_other)
    assert classify(TEXTS[0]).exit_code == 0


@pytest.mark.parametrize("named", ["", "relative"])
def test_without_an_absolute_xdg_cache_home_the_cache_is_below_the_users_home(
    monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", named)
    monkeypatch.setenv("HOME", "/users/ana")
    assert local_model.cache() == Path("/users/ana/.cache/claimflow/models")


# What goes wrong


def refused(result: Result) -> str:
    assert result.exit_code == 1
    assert result.stdout == ""
    *_, sentence = result.stderr.splitlines()
    return sentence


@pytest.mark.parametrize(
    ("arguments", "typed", "sentence"),
    [
        ([" "], None, "The text is empty: type it in quotes, or give one a line on the standard input."),
        ([os.fsdecode(b"caf\xe9")], None, "The text is not UTF-8: type it again"),
    ],
)
def test_a_text_that_is_none_is_refused_before_anything_is_asked(
    arguments: list[str], typed: bytes | None, sentence: str
) -> None:
    assert refused(classify(*arguments, typed=typed)).startswith(sentence)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (b"", "The standard input has no text: give one a line."),
        (b" \n\n", "The standard input has no text: give one a line."),
        (b"leak\ncaf\xe9\n", "Line 2 of the standard input is not UTF-8 text: save it as UTF-8."),
    ],
)
def test_a_standard_input_without_texts_is_told(live: Account, typed: bytes, sentence: str) -> None:
    assert refused(classify(typed=typed)) == sentence


def test_without_a_model_the_sentence_says_how_to_get_one(account: Account) -> None:
    assert refused(classify("x")) == "There is no model yet: train one with `claimflow train FILE`."
    add_model(account, 0.9, "PendingManualApproval")
    assert refused(classify("x")).startswith("No model is live now, as no version is approved: `claimflow")


@pytest.mark.parametrize("uri", ["s3://elsewhere/model.tar.gz", "s3://artifacts", "s3://artifacts-2/x"])
def test_a_model_of_another_stack_is_refused(account: Account, uri: str) -> None:
    register(account, None, uri)
    assert f"Version 1 of the model was not made by this stack: its file is {uri};" in refused(classify("x"))


def test_a_version_that_names_no_file_is_refused(account: Account) -> None:
    add_model(account, 0.9)
    assert "its file is not named" in refused(classify("x"))


def test_a_model_whose_file_is_gone_is_told(account: Account) -> None:
    register(account, None)
    assert f"The file of version 1 of the model, s3://artifacts/{KEY}, is gone: train again" in refused(
        classify("x")
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"no archive", "The model archive cannot be unpacked; it is damaged or cut short"),
        (packed({"../x": b""}), "The model archive holds '../x', which is not a plain file at its top."),
        (packed({"config.json": b"{}"}), "The model has no readable manifest.json"),
        (archive(config_json=b'{"new": 1}'), "The model was made by another version of this program"),
    ],
    ids=["no archive", "a file outside", "no manifest", "another version"],
)
def test_a_model_that_cannot_be_used_is_told_and_not_kept(
    account: Account, home: Path, content: bytes, sentence: str
) -> None:
    register(account, content)
    told = refused(classify("x"))
    assert told.startswith(f"Version 1 of the model cannot be used on this machine. {sentence}")
    assert not list((home / "claimflow" / "models").glob("*/*"))


def test_a_kept_model_that_was_changed_is_refused_with_the_folder_to_remove(
    live: Account, home: Path
) -> None:
    classify("x")
    (folder,) = (home / "claimflow" / "models").glob("*/*")
    (folder / "config.json").write_text("{}")
    assert refused(classify("x")).endswith(f" Remove the folder {folder}, then repeat the command.")


def test_a_cache_that_cannot_be_written_is_told(live: Account, home: Path) -> None:
    home.write_text("a file")
    assert "free disk space, or name another folder in XDG_CACHE_HOME." in refused(classify("x"))


def test_a_file_that_may_not_be_read_names_the_permission(
    live: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(**_: object) -> None:
        raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadObject")

    monkeypatch.setattr(live.s3, "head_object", denied)
    monkeypatch.setattr(Account, "s3", live.s3)
    assert refused(classify("x")).startswith("You are not allowed to call HeadObject")


def test_a_local_aws_that_does_not_run_is_to_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMFLOW_LOCAL_PORT", "1")
    result = CliRunner().invoke(cli.app, ["--local", "classify", "x"])
    assert refused(result) == NOT_RUNNING.format(deploy="claimflow --local deploy")


# What the other commands wait for


def test_the_command_line_loads_nothing_of_the_classifier() -> None:
    program = "import json, sys, workflow.cli; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=programs.ROOT, capture_output=True, check=True)
    assert {"model", "mxnet", "numba", "numpy"}.isdisjoint(json.loads(done.stdout))
