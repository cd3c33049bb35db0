"""Training: an upload becomes a live model, or is refused with the figures."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from tests.workflow.claims import FAST, NETWORK, as_csv, rows
from tests.workflow.stack import (
    Stack,
    jobs_at_rest,
    kill_jobs,
    output_of,
    wait_for_error,
    wait_for_job,
    wait_for_jobs,
)


def train(stack: Stack, name: str, pairs: list[tuple[str, str]], **config: Any) -> dict[str, Any]:
    data = stack.upload(f"requests/{name}.csv", as_csv(pairs))
    return stack.run({"action": "train", "data": data, "config": FAST | config})


def test_an_uploaded_training_file_becomes_the_live_model(live: Stack) -> None:
    live.upload("config/config.json", json.dumps(FAST))
    data = live.upload("train/claims of may.csv", as_csv(rows(240, seed=3)))
    arn = live.execution_of(data)
    ended = live.wait(arn)
    output = output_of(ended)
    assert live.states(arn)[-1] == "Done"
    assert "Gate" in live.states(arn)
    assert output["registration"]["live"] is True
    assert live.packages("Approved")[0]["ModelPackageArn"] == output["registration"]["arn"]
    evaluation = json.loads(live.read(output["evaluation"]["evaluation"]))
    assert evaluation["accuracy"] == output["evaluation"]["accuracy"] > 0.9
    assert b"<html" in live.read(output["evaluation"]["report"])
    assert evaluation["suspects"]["rows"] == output["evaluation"]["rows"]
    live.client("s3").delete_object(Bucket=live.outputs["UploadsBucket"], Key="config/config.json")


def test_wrong_labels_come_back_with_their_lines_the_likeliest_first(live: Stack) -> None:
    pairs = rows(240, seed=8)
    wrong = [10, 77, 150]
    for number in wrong:
        text, label = pairs[number]
        pairs[number] = (text, next(other for _, other in pairs if other != label))
    output = output_of(train(live, "mislabelled", pairs, accuracy_bar=0.5))
    suspects = live.table(output["evaluation"]["suspects"]["file"])
    assert set(suspects[0]) == {"line", "text", "label", "likely_label", "chance"}
    found = {int(row["line"]): row for row in suspects}
    for number in wrong:
        assert (found[number + 2]["text"], found[number + 2]["label"]) == pairs[number]
    assert [float(row["chance"]) for row in suspects] == sorted(float(row["chance"]) for row in suspects)


def test_the_config_in_the_bucket_is_honoured(live: Stack) -> None:
    live.upload("config/config.json", json.dumps(FAST | {"num_epoch": 2, "seq_len": 48}))
    data = live.upload("requests/honoured.csv", as_csv(rows(120, seed=4)))
    output = output_of(live.run({"action": "train", "data": data}))
    config = json.loads(live.read(output["run"]["config"]))
    assert (config["num_epoch"], config["seq_len"]) == (2, 48)
    live.client("s3").delete_object(Bucket=live.outputs["UploadsBucket"], Key="config/config.json")


def test_bad_rows_come_back_with_line_and_reason_and_the_good_ones_train(live: Stack) -> None:
    text = as_csv(rows(240, seed=5)) + "X1,,battery\nX2,a text without its label,\nX3,too,many,fields\n"
    data = live.upload("requests/some_bad.csv", text)
    output = output_of(live.run({"action": "train", "data": data, "config": FAST}))
    assert output["validation"]["train"]["rejected"] == 3
    rejected = live.table(output["validation"]["report"].replace("validation.json", "some_bad.rejected.csv"))
    assert [row["line"] for row in rejected] == ["242", "243", "244"]
    assert all(row["reason"] for row in rejected)


def test_a_model_below_the_bar_is_rejected_and_the_waiting_file_is_not_predicted(live: Stack) -> None:
    before = live.packages()
    waiting = live.upload("requests/waiting.csv", as_csv(rows(20), labelled=False))
    data = live.upload("requests/noise.csv", as_csv(rows(240, seed=6, noise=True)))
    request = {"action": "train", "data": data, "predict": waiting, "config": FAST | {"accuracy_bar": 0.9}}
    arn = live.start(request)
    ended = live.wait(arn)
    assert (ended["status"], ended["error"]) == ("FAILED", "ModelRejected")
    assert "90" in ended["cause"], ended["cause"]
    assert not {"Predict", "Predict in parallel", "Register"} & set(live.states(arn))
    assert live.packages() == before
    assert ended["cause"].split(".")[0] in live.notifications()[0]["Message"]


def test_a_model_with_a_category_below_the_floor_is_rejected_with_its_figures(live: Stack) -> None:
    before = live.packages()
    pairs = rows(240, seed=6)
    noisy = random.Random(6)
    mixed = [
        (text, noisy.choice(["screen", "noise"]) if label != "battery" else label) for text, label in pairs
    ]
    data = live.upload("requests/floor.csv", as_csv(mixed))
    config = FAST | {"recall_floor": 0.8}
    arn = live.start({"action": "train", "data": data, "config": config})
    ended = live.wait(arn)
    assert (ended["status"], ended["error"]) == ("FAILED", "ModelRejected"), ended.get("cause")
    assert "is below recall_floor, 80.0%, beyond chance: '" in ended["cause"]
    assert "Below another bar" in live.states(arn)
    assert live.packages() == before
    name = arn.rsplit(":", 1)[1]
    said = live.command("claimflow", "--local", "--stack", live.name, "status", name, check=False)
    assert "below a bar of its configuration" in said.stdout
    config["recall_floor_categories"] = ["battery"]
    output = output_of(
        live.run({"action": "train", "data": data, "config": config | {"live_significance": 1e-9}})
    )
    assert output["registration"]["live"] is True, "no other category has a floor, and chance is let"


def test_a_model_below_the_live_one_is_rejected(live: Stack) -> None:
    best = live.packages("Approved")
    pairs = rows(240)  # the live model's: the same rows are held out, so it is judged fairly
    hobbled = NETWORK | {"num_epoch": 1, "learning_rate": 0.00001}
    ended = train(live, "hobbled", pairs, **hobbled)
    assert (ended["status"], ended["error"]) == ("FAILED", "ModelRejected"), ended.get("cause")
    assert live.packages("Approved") == best


@pytest.mark.aws
def test_training_and_predicting_in_one_request(live: Stack) -> None:
    waiting = live.upload("requests/both_predict.csv", as_csv(rows(50, seed=9)))
    data = live.upload("requests/both_train.csv", as_csv(rows(240, seed=8)))
    config = FAST | {"architecture": "ngram+cnn", "explain": True}
    request = {"action": "train", "data": data, "predict": waiting, "config": config}
    output = output_of(live.run(request))
    assert output["results"]["rows"] == 50
    assert output["model"]["arn"] == output["registration"]["arn"]
    table = live.table(output["results"]["results"])
    assert all(row["because"] for row in table if row["prediction"])


def test_a_training_that_diverges_fails_with_one_sentence(live: Stack) -> None:
    wild = NETWORK | {"learning_rate": 10.0, "optimizer": "sgd", "num_epoch": 20, "clip_gradient": None}
    ended = train(live, "diverges", rows(120), **wild)
    assert (ended["status"], ended["error"]) == ("FAILED", "TrainingFailed"), ended.get("cause")
    assert "learning_rate" in ended["cause"]
    assert "Traceback" not in ended["cause"]
    assert ended["cause"] in live.notifications()[0]["Message"]


@pytest.mark.fault(
    where="a whole run",
    fault="a training is killed for its memory",
    then="the run fails; started again, it goes on from its checkpoint",
    reads="killed, most often for want of memory",
)
def test_a_training_that_the_machine_kills_says_so(live: Stack, reads: str) -> None:
    data = live.upload("requests/killed.csv", as_csv(rows(240, seed=60)))
    arn = live.start(
        {"action": "train", "data": data, "config": {"cnn": True, "num_epoch": 500, "seq_len": 512}}
    )
    wait_for_job(live)
    kill_jobs(live)
    ended = live.wait(arn)
    assert (ended["status"], ended["error"]) == ("FAILED", "TrainingFailed"), ended.get("cause")
    assert reads in ended["cause"]
    assert ended["cause"] in live.notifications()[0]["Message"]


@pytest.mark.fault(
    where="what is live",
    fault="two trainings overlap",
    then="the later one is compared with the one that went live meanwhile; the better one is live",
    reads="",
)
def test_a_training_that_another_one_overtook_is_compared_with_it_and_may_lose(live: Stack) -> None:
    live.no_live_model()
    slow, ended, fast = overtaken(live, slow=rows(240, seed=21, of_words=2), fast=rows(240, seed=22))
    assert live.states(slow).count("Train") == 2
    assert (ended["status"], ended["error"]) == ("FAILED", "ModelRejected")
    version = fast["registration"]["version"]
    assert f"Version {version} went live while this model was trained" in ended["cause"]
    assert "the live one is better" in ended["cause"]
    assert live.packages("Approved")[0]["ModelPackageVersion"] == version
    assert live.packages()[0]["ModelPackageVersion"] == version, "the loser has no version"


@pytest.mark.fault(
    where="what is live",
    fault="two trainings overlap",
    then="the later one is compared with the one that went live meanwhile; the better one is live",
    reads="",
)
def test_a_training_that_another_one_overtook_is_compared_with_it_and_may_win(live: Stack) -> None:
    live.no_live_model()
    slow, ended, fast = overtaken(live, slow=rows(240, seed=23), fast=rows(240, seed=24, of_words=2))
    assert "Compare again" in live.states(slow)
    output = output_of(ended)
    assert output["registration"]["live"] is True
    assert output["registration"]["version"] > fast["registration"]["version"]
    assert output["evaluation"]["compared_accuracy"] > output["evaluation"]["live_accuracy"]
    assert live.live_model_uri() == output["training"]["model_uri"]


def test_a_training_waits_for_those_that_began_before_it_and_says_for_which(live: Stack) -> None:
    """The stack of the tests lets two train at the same time."""
    requests = [
        {
            "action": "train",
            "data": live.upload(f"requests/turn{number}.csv", as_csv(rows(240, seed=26 + number))),
            "config": FAST,
        }
        for number in range(3)
    ]
    first = live.start(requests[0])
    wait_for_job(live)
    with jobs_at_rest(live):
        second = live.start(requests[1])
        wait_for_jobs(live, 2)
        with jobs_at_rest(live):
            third = live.start(requests[2])
            wait_for_error(live, third, "AnotherTrains")
            wide = replace(live, environment=live.environment | {"COLUMNS": "250"})
            name = third.rsplit(":", 1)[1]
            said = wide.command("claimflow", "--local", "--stack", live.name, "status", name).stdout
            assert "waits for the training of" in said
            assert "turn0.csv and 1 more file, which began before it" in said
            live.client("stepfunctions").stop_execution(executionArn=first)
            assert live.wait(first)["status"] == "ABORTED"
            live.wait(third)
    live.wait(second)
    assert live.states(first)[-1] == "Train", "it was trained until it was stopped"
    assert "Evaluate" in live.states(second)
    assert "Evaluate" in live.states(third)


def test_a_few_rows_do_not_replace_the_live_model_and_are_told_how_many_it_takes(live: Stack) -> None:
    before = live.live_model_uri()
    live.no_live_model()
    output = output_of(train(live, "few", rows(60, seed=25, of_words=2)))
    assert output["registration"]["live"] is False
    assert "more labelled rows" in output["registration"]["reason"]
    assert live.packages("Approved") == []
    assert output["training"]["model_uri"] != before


def overtaken(
    live: Stack, *, slow: list[tuple[str, str]], fast: list[tuple[str, str]]
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Start a training, and end another before it goes on.

    Gives the first one's execution and its end, and the other's output.
    """
    data = live.upload(f"requests/slow{len(live.executions())}.csv", as_csv(slow))
    arn = live.start({"action": "train", "data": data, "config": FAST})
    wait_for_job(live)
    with jobs_at_rest(live):
        output = output_of(train(live, f"fast{len(live.executions())}", fast))
    return arn, live.wait(arn), output


def test_the_same_training_again_gets_a_new_job_name_and_the_same_accuracy(live: Stack) -> None:
    data = live.upload("requests/again.csv", as_csv(rows(240, seed=30)))
    request = {"action": "train", "data": data, "config": FAST}
    first, second = (output_of(live.run(request)) for _ in range(2))
    assert first["training"]["job"] != second["training"]["job"]
    assert first["run"]["id"] == second["run"]["id"]
    assert first["evaluation"]["accuracy"] == second["evaluation"]["accuracy"]
