"""Where a model comes from: a file, the live version, another version; what is said without one."""

import shutil
from pathlib import Path

import pytest

import claimflow
from claimflow import local_aws
from tests.unit.workflow.fakes import add_model
from tests.unit.workflow.test_classify import register
from workflow.account import Account
from workflow.errors import NO_REGION


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_live_model_is_loaded_without_a_name_and_other_versions_by_their_number(
    account: Account, archive: Path
) -> None:
    register(account, archive.read_bytes())
    register(account, archive.read_bytes(), target_precision="0.95")
    assert claimflow.load().version == claimflow.load("live").version == 2
    first, second = claimflow.load("models/1"), claimflow.load("models/2")
    assert (first.version, second.version) == (1, 2)
    assert first.labels == second.labels
    assert first.classifier.decision.threshold != second.classifier.decision.threshold
    assert first.training == second.training


def test_the_columns_that_a_version_learned_from_come_with_it(account: Account, archive: Path) -> None:
    account.s3.put_object(
        Bucket="artifacts", Key="card.json", Body=b'{"text_column": "story", "label_column": null}'
    )
    register(account, archive.read_bytes(), card="s3://artifacts/card.json")
    loaded = claimflow.load("live")
    assert (loaded.text_column, loaded.label_column) == ("story", None)


def test_an_archive_its_folder_and_a_folder_that_holds_it_are_the_same_model(
    archive: Path, tmp_path: Path
) -> None:
    shutil.copy(archive, tmp_path / "model.tar.gz")
    shutil.unpack_archive(archive, tmp_path / "unpacked")
    places = [tmp_path / "model.tar.gz", tmp_path, tmp_path / "unpacked", str(tmp_path / "unpacked")]
    loaded = [claimflow.load(place) for place in places]
    assert {model.labels for model in loaded} == {loaded[0].labels}
    assert all(model.training == loaded[0].training and model.version is None for model in loaded)


def test_a_path_that_is_not_there_is_told_with_what_can_be_given(tmp_path: Path) -> None:
    with pytest.raises(claimflow.ClaimflowError) as told:
        claimflow.load("no/model.tar.gz")
    assert str(told.value) == (
        "There is no model 'no/model.tar.gz': give the path of a model.tar.gz, `live`, or a version as "
        "`models/7`."
    )


def test_a_damaged_archive_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "model.tar.gz").write_bytes(b"no archive")
    with pytest.raises(
        claimflow.ClaimflowError, match=r"^The model archive cannot be unpacked; it is damaged"
    ):
        claimflow.load(tmp_path)


def test_a_version_that_there_is_not_is_told_with_those_there_are(account: Account) -> None:
    with pytest.raises(claimflow.ClaimflowError, match=r"^There is no model yet: train one with"):
        claimflow.load("live")
    add_model(account, 0.9)
    with pytest.raises(
        claimflow.ClaimflowError, match=r"^There is no model version 7: the versions are 1\.$"
    ):
        claimflow.load("models/7")


def test_another_stack_is_named_or_comes_from_the_environment(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(claimflow.ClaimflowError, match="There is no stack 'other' here"):
        claimflow.load("live", stack="other")
    monkeypatch.setenv("CLAIMFLOW_STACK", "named")
    with pytest.raises(claimflow.ClaimflowError, match="There is no stack 'named' here"):
        claimflow.load("live")


def test_after_use_local_aws_every_sdk_asks_the_local_aws_and_knows_no_key_of_the_user(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Account] = []
    monkeypatch.setattr(local_aws.stacks, "check_reachable", asked.append)
    monkeypatch.setattr(
        local_aws.os, "environ", {"AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "x", "HOME": "/h"}
    )
    claimflow.use_local_aws()
    assert [each.local for each in asked] == [True]
    left = {key: value for key, value in local_aws.os.environ.items() if key.startswith("AWS_")}
    assert left["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert left["AWS_ACCESS_KEY_ID"] == left["AWS_SECRET_ACCESS_KEY"] == "test"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN"} & set(left)


def test_a_local_aws_that_does_not_run_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMFLOW_LOCAL_PORT", "9")
    with pytest.raises(claimflow.ClaimflowError, match=r"^The local AWS is not running: start it with"):
        claimflow.use_local_aws()


def test_what_is_wrong_with_the_settings_for_aws_is_told_as_at_the_command_line() -> None:
    with pytest.raises(claimflow.ClaimflowError) as told:
        claimflow.load("live")
    assert str(told.value) == NO_REGION
