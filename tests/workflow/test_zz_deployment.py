"""Deployment: again changes nothing, the real command lines work, delete leaves the data, or nothing.

Runs last, as it deletes the stack.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from tests.workflow.claims import FAST, as_csv, rows
from tests.workflow.fixtures import deploy_command
from tests.workflow.stack import ROOT, Stack, wait_for_job


def test_the_real_aws_command_line_uploads_and_starts(live: Stack, tmp_path: Path) -> None:
    file, uploads = tmp_path / "claims.csv", live.outputs["UploadsBucket"]
    file.write_text(as_csv(rows(120, seed=50)))
    live.command("aws", "s3", "cp", str(file), f"s3://{uploads}/requests/by_hand.csv")
    request = json.dumps({"action": "train", "data": f"s3://{uploads}/requests/by_hand.csv", "config": FAST})
    started = live.command(
        "aws", "stepfunctions", "start-execution", "--state-machine-arn", live.outputs["StateMachineArn"],
        "--input", request, "--output", "json",
    )  # fmt: skip
    assert live.wait(json.loads(started.stdout)["executionArn"])["status"] in {"SUCCEEDED", "FAILED"}
    live.command("aws", "s3", "cp", str(file), f"s3://{uploads}/predict/by_hand.csv")
    assert live.wait(live.execution_of(f"s3://{uploads}/predict/by_hand.csv"))["status"] == "SUCCEEDED"


def test_plain_sam_deploy_refuses_sources_that_were_not_built(live: Stack, tmp_path: Path) -> None:
    for name in ("template.yaml", "samconfig.toml"):
        shutil.copy(ROOT / name, tmp_path)
    done = subprocess.run(
        ["sam", "deploy"], cwd=tmp_path, env=live.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert ".aws-sam/build/template.yaml" in done.stderr


def test_deploying_the_same_again_changes_nothing(live: Stack, tmp_path_factory: object) -> None:
    folder = Path(live.environment["CLAIMFLOW_LOCAL_DIR"])
    again = live.command(*deploy_command(live, folder))
    assert "No changes to deploy" in again.stdout + again.stderr


def test_machines_that_do_not_fit_together_are_refused_with_a_sentence(live: Stack) -> None:
    folder = Path(live.environment["CLAIMFLOW_LOCAL_DIR"])
    wrong = live.command(*deploy_command(live, folder), "BatchInstanceTypes=g4dn.xlarge", check=False)
    assert wrong.returncode != 0
    assert "give Accelerator=gpu, or types without one" in wrong.stdout + wrong.stderr


def test_deleting_the_stack_stops_what_runs_and_leaves_the_data_until_everything_is_deleted(
    live: Stack,
) -> None:
    data = live.upload("requests/deleted.csv", as_csv(rows(240, seed=51)))
    arn = live.start(
        {"action": "train", "data": data, "config": {"cnn": True, "num_epoch": 500, "seq_len": 512}}
    )
    wait_for_job(live)
    delete = ("claimflow", "--local", "--stack", live.name, "delete", "--yes")
    said = " ".join(live.command(*delete).stdout.split())
    assert live.wait(arn)["status"] == "ABORTED"
    holding = {live.outputs[name] for name in ("UploadsBucket", "ArtifactsBucket", "ResultsBucket")}
    assert _buckets(live) == holding
    assert all(name in said for name in (*holding, live.outputs["DecisionsTable"]))
    assert f"--stack {live.name} delete --everything` deletes them too" in said
    assert not live.client("stepfunctions").list_state_machines()["stateMachines"]
    assert not live.client("lambda").list_functions()["Functions"]
    assert not live.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert not live.client("batch").describe_job_queues()["jobQueues"]
    assert not live.client("batch").describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    remaining = live.client("iam").list_roles()["Roles"]
    assert not [role for role in remaining if role["RoleName"].startswith(live.name)]
    live.command(*delete, "--everything")
    assert _buckets(live) == set()
    assert live.outputs["DecisionsTable"] not in live.client("dynamodb").list_tables()["TableNames"]


def _buckets(live: Stack) -> set[str]:
    names = {bucket["Name"] for bucket in live.client("s3").list_buckets()["Buckets"]}
    return {name for name in names if name.startswith(live.name)}
