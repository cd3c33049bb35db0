"""prepare: from a request to the description of its run."""

import json
from typing import Any

import pytest
from botocore.stub import Stubber

from contract.errors import (
    AwsUnavailable,
    InvalidConfig,
    InvalidData,
    InvalidRequest,
    NoLiveModel,
    StackMisconfigured,
)
from model import checkpoint
from prepare import capacity
from shared import aws, storage
from shared.messages import command
from shared.storage import Location, ObjectInfo
from tests.unit.functions.stack import ARTIFACTS, EXECUTION, SETTINGS, UPLOADS, Stack, labelled


def test_the_newest_version_is_pinned_when_the_request_names_none(stack: Stack) -> None:
    stack.upload("train/a.csv", "old")
    uri = stack.upload("train/a.csv", "newest")
    data = stack.prepare({"action": "train", "data": uri})["data"]
    assert data["size"] == len("newest")
    assert data["version"]


def test_a_run_keeps_the_image_and_the_job_definition_with_which_it_begins(stack: Stack) -> None:
    run = stack.prepare({"action": "train", "data": stack.upload("train/a.csv", labelled(20))})
    assert run["image"] == SETTINGS["CLAIMFLOW_IMAGE"]
    assert run["job_definition"] == SETTINGS["CLAIMFLOW_JOB_DEFINITION"]


@pytest.mark.parametrize(("function", "rows"), [("", "5000"), ("arn:aws:lambda:label", "0")])
def test_a_run_names_the_function_for_small_files_where_there_is_one(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, function: str, rows: str
) -> None:
    request = {"action": "train", "data": stack.upload("train/a.csv", labelled(20))}
    monkeypatch.setenv("CLAIMFLOW_SMALL_FUNCTION", function)
    monkeypatch.setenv("CLAIMFLOW_SMALL_ROWS", rows)
    assert "small" not in stack.prepare(request)
    monkeypatch.setenv("CLAIMFLOW_SMALL_FUNCTION", "arn:aws:lambda:label")
    monkeypatch.setenv("CLAIMFLOW_SMALL_ROWS", "70")
    assert stack.prepare(request)["small"] == {"function": "arn:aws:lambda:label", "rows": 70}


def test_a_stack_without_an_image_refuses_every_run_and_says_what_brings_one(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMFLOW_IMAGE", "")
    with pytest.raises(StackMisconfigured, match=r"no image yet .* `claimflow deploy --image`"):
        stack.prepare({"action": "train", "data": stack.upload("train/a.csv", labelled(20))})


def test_the_version_of_the_request_is_taken(stack: Stack) -> None:
    uri = stack.upload("train/a.csv", "old")
    version = stack.s3.head_object(Bucket=UPLOADS, Key="train/a.csv")["VersionId"]
    stack.upload("train/a.csv", "newest")
    assert stack.prepare({"action": "train", "data": uri, "version": version})["data"]["size"] == len("old")


def test_of_several_files_each_is_pinned_in_the_version_that_the_request_names(stack: Stack) -> None:
    first, second = stack.upload("train/a.csv", "old"), stack.upload("train/b.csv", "x")
    version = stack.s3.head_object(Bucket=UPLOADS, Key="train/a.csv")["VersionId"]
    stack.upload("train/a.csv", "newest")
    run = stack.prepare({"action": "train", "data": [first, second], "version": [version, None]})
    assert (run["data"]["uri"], run["data"]["version"]) == (first, version)
    assert [(file["uri"], file["size"]) for file in run["more_data"]] == [(second, 1)]
    assert run["more_data"][0]["version"]


def test_another_file_beside_the_first_makes_another_run(stack: Stack) -> None:
    a, b, c = (stack.upload(f"train/{name}.csv", name) for name in "abc")
    requests = [{"data": a}, {"data": [a, b]}, {"data": [a, c]}, {"data": [b, a]}, {"data": a, "predict": b}]
    ids = [stack.prepare({"action": "train", **request})["id"] for request in requests]
    assert len(set(ids)) == len(ids)
    assert stack.prepare({"action": "train", "data": [a]})["id"] == ids[0]


def test_one_of_several_files_that_is_missing_is_named(stack: Stack) -> None:
    uris = [stack.upload("train/a.csv", "x"), f"s3://{UPLOADS}/train/none.csv"]
    with pytest.raises(InvalidRequest, match=r"'data' cannot be read: s3://\S+/train/none.csv is not there"):
        stack.prepare({"action": "train", "data": uris})


def test_several_files_that_are_too_large_together_are_refused(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    uris = [stack.upload(f"train/{name}.csv", "x") for name in "ab"]
    found = storage.head
    monkeypatch.setattr(storage, "head", lambda *given: found(*given)._replace(size=1_200_000_000))
    assert stack.prepare({"action": "train", "data": uris[0]})["id"]
    with pytest.raises(
        InvalidData, match=r"a.csv and 1 more file have 2.40 GB together, .* may have 2.26 GB"
    ):
        stack.prepare({"action": "train", "data": uris})


def test_the_same_request_is_the_same_run_and_writes_the_same_objects(stack: Stack) -> None:
    request = {"action": "train", "data": stack.upload("train/a.csv", "x")}
    first, before = stack.prepare(request), stack.everything()
    assert stack.prepare(request) == first
    assert stack.everything() == before


def test_another_execution_of_a_run_trains_under_another_name(stack: Stack) -> None:
    request = {"action": "train", "data": stack.upload("train/a.csv", "x")}
    first, second = stack.prepare(request), stack.prepare(request, EXECUTION + "2")
    assert first["id"] == second["id"]
    assert first["job_name"] != second["job_name"]


def test_the_folder_of_the_results_has_the_name_of_the_execution(stack: Stack) -> None:
    run = stack.prepare({"action": "train", "data": stack.upload("train/a.csv", "x")}, EXECUTION + "-2")
    assert run["name"] == "train-claims-abc-2"


@pytest.mark.parametrize("name", [".", ".."])
def test_an_execution_whose_name_is_no_folders_has_its_results_under_the_id(stack: Stack, name: str) -> None:
    request = {"action": "train", "data": stack.upload("train/a.csv", "x")}
    run = stack.prepare(request, EXECUTION.rsplit(":", 1)[0] + f":{name}")
    assert run["name"] == run["id"]


def test_who_started_a_run_makes_it_no_other_run(stack: Stack) -> None:
    request = {"action": "train", "data": stack.upload("train/a.csv", "x")}
    ana, ben = (stack.prepare(request | {"started_by": name}) for name in ("ana", "ben"))
    assert (ana.pop("started_by"), ben.pop("started_by")) == ("ana", "ben")
    assert ana == ben


def test_the_same_file_uploaded_again_goes_on_with_the_same_work(stack: Stack) -> None:
    stack.live()
    ids = []
    for content in ("text\nx\n", "text\nx\n", "text\ny\n"):
        request = {"action": "predict", "data": stack.upload("predict/again.csv", content)}
        ids.append(stack.prepare(request)["id"])
    assert ids[0] == ids[1] != ids[2]


def test_how_much_may_be_missing_does_not_make_other_work(stack: Stack) -> None:
    stack.live()
    request = {"action": "predict", "data": stack.upload("predict/a.csv", "text\nx\n")}
    stricter = stack.prepare(request | {"config": {"max_missing_share": 0.1, "allow_partial": False}})
    assert stack.prepare(request)["id"] == stricter["id"]
    assert (stricter["allow_partial"], stricter["max_missing_share"]) == (False, 0.1)


@pytest.mark.parametrize(
    ("request_", "disk", "what"),
    [
        ({"action": "train", "data": "a"}, "CLAIMFLOW_VALIDATE_DISK_MB", "a file to train on may have 0.55"),
        ({"action": "predict", "data": "a"}, "CLAIMFLOW_COLLECT_DISK_MB", "a file to label may have 0.19"),
        ({"action": "train", "data": "b", "predict": "a"}, "CLAIMFLOW_COLLECT_DISK_MB", "to label may have"),
    ],
)
def test_a_file_that_is_too_large_for_the_functions_is_refused_at_once(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, request_: dict[str, str], disk: str, what: str
) -> None:
    stack.live()
    for name in "ab":
        stack.upload(f"requests/{name}.csv", labelled(20))
    files = {key: name for key, name in request_.items() if key != "action"}
    uris = {key: f"s3://{UPLOADS}/requests/{name}.csv" for key, name in files.items()}
    found = storage.head

    def large(location: Location, version: str | None = None) -> ObjectInfo:
        info = found(location, version)
        return info._replace(size=600_000_000) if location.name == "a.csv" else info

    monkeypatch.setattr(storage, "head", large)
    assert stack.prepare(request_ | uris)["id"]
    monkeypatch.setenv(disk, "1000")
    with pytest.raises(InvalidData, match=f"a.csv has 0.60 GB, and .*{what}.*: cut it up into several files"):
        stack.prepare(request_ | uris)


WIDE = {"architecture": "ngram+cnn", "vocab_size": 10_000_000, "embed_size": 1_000}


def test_checkpoints_that_cannot_fit_on_the_disk_of_a_training_are_refused_at_once(stack: Stack) -> None:
    data = stack.upload("train/a.csv", "text,label\n" + "many words, one label\n" * 5_000)
    said = r"embed_size 1,000 can take 52\.\d\d GB, and its disk has 30 GB: lower them .* TrainingVolumeGB"
    with pytest.raises(InvalidConfig, match=said):
        stack.prepare({"action": "train", "data": data, "config": WIDE})


@pytest.mark.parametrize(
    ("setting", "value", "config"),
    [
        ("CLAIMFLOW_VOLUME_GB", "100", {}),
        ("CLAIMFLOW_INSTANCE_TYPE", "ml.g4dn.xlarge", {}),
        ("CLAIMFLOW_INSTANCE_TYPE", "ml.m5d.xlarge", {}),
        ("CLAIMFLOW_VOLUME_GB", "30", {"vocab_size": 200_000}),
        ("CLAIMFLOW_VOLUME_GB", "30", {"embed_size": 100}),
        ("CLAIMFLOW_VOLUME_GB", "30", {"architecture": "auto"}),
        ("CLAIMFLOW_VOLUME_GB", "30", {"architecture": None}),
    ],
)
def test_checkpoints_that_fit_or_whose_disk_is_not_known_are_let_through(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, config: dict[str, Any]
) -> None:
    monkeypatch.setenv(setting, value)
    data = stack.upload("train/a.csv", "text,label\n" + "many words, one label\n" * 5_000)
    assert stack.prepare({"action": "train", "data": data, "config": WIDE | config})["id"]


def test_as_many_checkpoints_are_counted_as_a_training_has_on_its_disk() -> None:
    assert capacity.CHECKPOINTS == checkpoint.KEPT + 1, "the newest is written before the oldest is removed"


def test_a_large_vocabulary_that_a_small_file_cannot_fill_is_let_through(stack: Stack) -> None:
    data = stack.upload("train/a.csv", "text,label\na,b\n")
    assert stack.prepare({"action": "train", "data": data, "config": WIDE})["id"]


def test_the_whole_configuration_of_a_run_can_be_given_to_another(stack: Stack) -> None:
    request = {"action": "train", "data": stack.upload("train/a.csv", "x")}
    whole = stack.json(stack.prepare(request | {"config": {"num_epoch": 3}})["config"])
    assert stack.json(stack.prepare(request | {"config": whole})["config"]) == whole


def test_another_configuration_is_another_run(stack: Stack) -> None:
    request = {"action": "train", "data": stack.upload("train/a.csv", "x")}
    assert stack.prepare(request)["id"] != stack.prepare(request | {"config": {"num_epoch": 1}})["id"]


@pytest.mark.parametrize("name", ["a" * 200, "größe (3)", "..", "x_y.z", "-"])
def test_names_are_short_and_plain(stack: Stack, name: str) -> None:
    run = stack.prepare({"action": "train", "data": stack.upload(f"train/{name}.csv.gz", "x")})
    assert len(run["job_name"] + "-1-2-3-w72-0-0") <= 63
    for made in (run["job_name"], run["id"]):
        assert made.isascii()
        assert all(part.isalnum() for part in made.split("-"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("s3://uploads-bucket/train/none.csv", "is not there"),
        ("s3://no-such-bucket/train/a.csv", "is not there"),
    ],
)
def test_a_missing_object_is_the_requests_fault(stack: Stack, data: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        stack.prepare({"action": "train", "data": data})


def test_a_missing_version_is_the_requests_fault(stack: Stack) -> None:
    uri = stack.upload("train/a.csv", "x")
    with pytest.raises(InvalidRequest, match=r"\(version nonsense\) is not there"):
        stack.prepare({"action": "train", "data": uri, "version": "nonsense"})


def test_a_missing_predict_file_is_named(stack: Stack) -> None:
    uri = stack.upload("train/a.csv", "x")
    with pytest.raises(InvalidRequest, match="'predict' cannot be read"):
        stack.prepare({"action": "train", "data": uri, "predict": uri + "2"})


def test_a_forbidden_object_says_so(stack: Stack) -> None:
    with Stubber(aws.s3()) as stub:
        stub.add_client_error("head_object", "403", http_status_code=403)
        with pytest.raises(InvalidRequest, match="may not read it"):
            stack.prepare({"action": "train", "data": "s3://uploads-bucket/k"})


def test_throttling_is_not_the_requests_fault(stack: Stack) -> None:
    with Stubber(aws.s3()) as stub:
        for _ in range(5):
            stub.add_client_error("head_object", "SlowDown", http_status_code=503)
        with pytest.raises(AwsUnavailable, match="SlowDown"):
            stack.prepare({"action": "train", "data": "s3://uploads-bucket/k"})


def test_a_prediction_needs_a_live_model_and_says_how_to_get_one(stack: Stack) -> None:
    with pytest.raises(NoLiveModel, match="s3://uploads-bucket/train/"):
        stack.prepare({"action": "predict", "data": stack.upload("predict/a.csv", "x")})


def test_the_stack_takes_its_configuration_from_the_uploads(stack: Stack) -> None:
    stack.upload("config/config.json", json.dumps({"num_epoch": 9}))
    run = stack.prepare({"action": "train", "data": stack.upload("train/a.csv", "x")})
    assert run["hyperparameters"]["num_epoch"] == "9"
    assert stack.json(run["config"])["num_epoch"] == 9


@pytest.mark.parametrize("action", ["train", "predict"])
@pytest.mark.parametrize("where", ["request", "uploads"])
def test_explanations_are_asked_for_in_the_request_or_in_the_stacks_configuration(
    stack: Stack, action: str, where: str
) -> None:
    stack.live()
    request = {"action": action, "data": stack.upload("requests/a.csv", "x")}
    plain = stack.prepare(request)
    assert plain["explain"] is False
    if where == "uploads":
        stack.upload("config/config.json", json.dumps({"explain": True}))
    else:
        request["config"] = {"explain": True}
    explained = stack.prepare(request)
    assert explained["explain"] is True
    assert explained["id"] != plain["id"]


def test_a_request_can_name_another_configuration(stack: Stack) -> None:
    config = stack.upload("requests/c.json", json.dumps({"num_epoch": 8}))
    run = stack.prepare({"action": "train", "data": stack.upload("train/a.csv", "x"), "config": config})
    assert run["hyperparameters"]["num_epoch"] == "8"


def test_a_request_can_name_the_configuration_of_an_earlier_run(stack: Stack) -> None:
    data = stack.upload("train/a.csv", "x")
    earlier = stack.prepare({"action": "train", "data": data, "config": {"num_epoch": 8}})
    again = stack.prepare({"action": "train", "data": data, "config": earlier["config"]})
    assert again["hyperparameters"] == earlier["hyperparameters"]


@pytest.mark.parametrize(
    "place", [f"{UPLOADS}/requests/none.json", f"{ARTIFACTS}/runs/train-none/config.json"]
)
def test_a_configuration_that_is_not_there_is_refused(stack: Stack, place: str) -> None:
    data = stack.upload("train/a.csv", "x")
    with pytest.raises(InvalidConfig, match="is not there"):
        stack.prepare({"action": "train", "data": data, "config": f"s3://{place}"})


@pytest.mark.parametrize(("asked", "bar"), [(None, 0.8), (0.5, 0.8), (0.95, 0.95)])
def test_a_configuration_may_raise_the_bar_and_not_lower_it(
    stack: Stack, asked: float | None, bar: float
) -> None:
    data = stack.upload("train/a.csv", "x")
    assert (
        stack.prepare({"action": "train", "data": data, "config": {"accuracy_bar": asked}})["accuracy_bar"]
        == bar
    )


def test_spot_training_waits_at_least_as_long_as_it_runs(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMFLOW_USE_SPOT", "true")
    run = stack.prepare({"action": "train", "data": stack.upload("train/a.csv", "x")})
    assert run["use_spot"] is True
    assert run["stopping_condition"] == {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}


def test_several_instances_train_when_the_stack_says_so(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMFLOW_INSTANCE_COUNT", "3")
    run = stack.prepare({"action": "train", "data": stack.upload("train/a.csv", "x")})
    assert run["resource_config"]["InstanceCount"] == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [("CLAIMFLOW_USE_SPOT", "maybe"), ("CLAIMFLOW_VOLUME_GB", "big"), ("CLAIMFLOW_ACCURACY_BAR", "")],
)
def test_a_wrong_setting_is_the_stacks_fault(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(StackMisconfigured, match=name):
        stack.prepare({"action": "train", "data": stack.upload("train/a.csv", "x")})


def test_rejecting_the_newest_model_brings_back_the_one_before(stack: Stack) -> None:
    first = stack.live(accuracy=0.9)["registration"]
    second = stack.live(accuracy=0.95)["registration"]
    request = {"action": "predict", "data": stack.upload("predict/a.csv", "x")}
    live = stack.prepare(request)
    assert live["live_model"]["arn"] == second["arn"]
    stack.sagemaker.update_model_package(ModelPackageArn=second["arn"], ModelApprovalStatus="Rejected")
    back = stack.prepare(request)
    assert back["live_model"]["arn"] == first["arn"]
    assert back["id"] != live["id"]
    assert back["live_model"]["model_uri"].startswith(f"s3://{ARTIFACTS}/models/")
    assert stack.json(back["live_model"]["card"])["labels"] == ["brakes", "engine"]


def test_a_training_can_ask_for_a_prediction_too(stack: Stack) -> None:
    data, new = stack.upload("train/a.csv", labelled(3)), stack.upload("requests/new.csv", "text\nhello\n")
    run = stack.prepare({"action": "train", "data": data, "predict": new})
    assert run["predict_wanted"] is True
    assert run["predict"]["uri"] == new
    assert run["id"] != stack.prepare({"action": "train", "data": data})["id"]


def test_a_version_that_waits_for_approval_is_named(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMFLOW_APPROVAL", "manual")
    stack.live()
    with pytest.raises(NoLiveModel, match=r"version 1 waits for approval: .*`claimflow models approve 1`"):
        stack.prepare({"action": "predict", "data": stack.upload("predict/a.csv", "x")})


def test_with_every_version_rejected_it_says_so_and_what_to_do(stack: Stack) -> None:
    arn = stack.live()["registration"]["arn"]
    stack.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    said = (
        r"every version was rejected, the newest being 1: approve one with `claimflow models approve VERSION`"
    )
    with pytest.raises(NoLiveModel, match=said):
        stack.prepare({"action": "predict", "data": stack.upload("predict/a.csv", "x")})


@pytest.mark.parametrize(
    ("name", "endpoint", "said"),
    [
        ("claimflow-prod", "", "claimflow --stack claimflow-prod models"),
        ("claimflow", "http://127.0.0.1:4566", "claimflow --local models"),
        ("tried", "http://127.0.0.1:4566", "claimflow --local --stack tried models"),
    ],
)
def test_a_command_that_is_advised_is_for_this_stack(
    monkeypatch: pytest.MonkeyPatch, name: str, endpoint: str, said: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    assert f"{command(name)} models" == said


NOT_STRICT: dict[str, tuple[bytes, str]] = {
    "infinity": (b'{"learning_rate": Infinity}', "holds Infinity, which is not a JSON value"),
    "less than all": (b'{"learning_rate": -Infinity}', "holds -Infinity, which is not a JSON value"),
    "no number": (b'{"kernel_size": [NaN]}', "holds NaN, which is not a JSON value"),
    "not an object but a number": (b"Infinity", "holds Infinity, which is not a JSON value"),
    "beyond any float": (b'{"learning_rate": 1e999}', "holds the number 1e999, which is too large"),
    "thousands of digits": (b'{"seed": ' + b"9" * 5_000 + b"}", "holds a number of 5,000 digits"),
    "thousands of lists": (b'{"kernel_size": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", "is nested too deeply"),
    "thousands of objects": (b'{"a": ' * 5_000 + b"1" + b"}" * 5_000, "is nested too deeply"),
    "hundreds of lists": (b'{"kernel_size": ' + b"[" * 500 + b"]" * 500 + b"}", "is nested too deeply"),
    "a key twice": (b'{"num_epoch": 1, "num_epoch": 2}', "has the key 'num_epoch' twice"),
    "half a character": (b'{"text_column": "a\\ud800"}', "holds half a character (a lone surrogate) in 'a"),
    "another encoding": ('{"text_column": "Stück"}'.encode("cp1252"), "is not UTF-8 text (byte 20)"),
    "too much": (b'{"seed": 1}' + b" " * 200_000, "has 200,011 bytes; at most 200,000 are read"),
    "cut off": (b'{"num_epoch": 3,', "is not JSON: line 1, column 17"),
    "a list": (b"[1]", "must hold one JSON object"),
}  # fmt: skip


@pytest.mark.parametrize("named_by", ["request", "stack"])
@pytest.mark.parametrize(("text", "said"), NOT_STRICT.values(), ids=NOT_STRICT.keys())
def test_a_configuration_in_s3_that_is_not_strict_json_ends_in_one_sentence(
    stack: Stack, text: bytes, said: str, named_by: str
) -> None:
    request = {"action": "train", "data": stack.upload("train/a.csv", "x")}
    if named_by == "stack":
        uri = stack.upload("config/config.json", text)
    else:
        uri = request["config"] = stack.upload("requests/c.json", text)
    with pytest.raises(InvalidConfig) as refused:
        stack.prepare(request)
    assert str(refused.value).startswith(f"The configuration {uri} {said}")
    assert len(str(refused.value).splitlines()) == 1
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"learning_rate": float("inf")}, "learning_rate is Infinity, which is no number of JSON"),
        ({"kernel_size": [float("nan")]}, "kernel_size is NaN, which is no number of JSON"),
        ({"kernel_size": json.loads("[" * 900 + "]" * 900)}, "kernel_size is nested too deeply"),
        ({"learning_rate": 10**4_000}, "learning_rate is 1000"),
    ],
)
def test_a_configuration_in_the_request_that_no_json_file_could_be_ends_in_one_sentence(
    stack: Stack, config: dict[str, object], said: str
) -> None:
    with pytest.raises(InvalidConfig) as refused:
        stack.prepare({"action": "train", "data": stack.upload("train/a.csv", "x"), "config": config})
    assert str(refused.value).startswith(f"The request's configuration cannot be used: {said}")
    assert len(str(refused.value).splitlines()) == 1


def test_half_a_character_in_a_request_is_refused(stack: Stack) -> None:
    data = stack.upload("train/a.csv", "x")
    with pytest.raises(InvalidConfig, match="text_column holds half a character") as refused:
        stack.prepare({"action": "train", "data": data, "config": {"text_column": "a\ud800"}})
    assert str(refused.value).encode()


def test_a_training_is_encrypted_with_the_stacks_key(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"
    monkeypatch.setenv("CLAIMFLOW_KMS_KEY", key)
    run = stack.prepare({"action": "train", "data": stack.upload("train/a.csv", "x")})
    assert run["resource_config"]["VolumeKmsKeyId"] == key
    assert run["output_config"]["KmsKeyId"] == key


def test_no_key_is_given_for_the_disks_of_an_instance_that_has_its_own(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SageMaker refuses it: they encrypt themselves."""
    monkeypatch.setenv("CLAIMFLOW_KMS_KEY", "arn:aws:kms:eu-west-1:123456789012:key/1234abcd")
    monkeypatch.setenv("CLAIMFLOW_INSTANCE_TYPE", "ml.g5.xlarge")
    run = stack.prepare({"action": "train", "data": stack.upload("train/a.csv", "x")})
    assert "VolumeKmsKeyId" not in run["resource_config"]
    assert "KmsKeyId" in run["output_config"]


def test_without_a_key_sagemaker_is_told_of_none(stack: Stack) -> None:
    run = stack.prepare({"action": "train", "data": stack.upload("train/a.csv", "x")})
    assert "VolumeKmsKeyId" not in run["resource_config"]
    assert set(run["output_config"]) == {"S3OutputPath"}


def test_a_training_runs_in_the_stacks_private_subnets(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMFLOW_SUBNETS", "subnet-1,subnet-2")
    monkeypatch.setenv("CLAIMFLOW_SECURITY_GROUP", "sg-1")
    run = stack.prepare({"action": "train", "data": stack.upload("train/a.csv", "x")})
    assert run["vpc_config"] == {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}


def test_without_a_private_network_a_training_runs_in_sagemakers(stack: Stack) -> None:
    assert "vpc_config" not in stack.prepare({"action": "train", "data": stack.upload("train/a.csv", "x")})
