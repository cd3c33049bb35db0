"""What the stack is made of: encrypted, private, with an end to every log, and gone when it is deleted."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from contract import keys
from docs import variants
from workflow.stack import KEPT_KINDS

Data = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "functions"
LOG = "AccessLogBucket"
STAGES = {
    "default": "claimflow",
    "local": "claimflow",
    "dev": "claimflow-dev",
    "prod": "claimflow-prod",
}


def test_every_bucket_is_encrypted_private_and_owned(resources: Data) -> None:
    for name, bucket in _of_type(resources, "AWS::S3::Bucket"):
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        without_key = rule if name == LOG else rule["Fn::If"][-1]
        assert without_key["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256", name
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert len(bucket["PublicAccessBlockConfiguration"]) == 4, name
        assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}, name
        assert bucket["LifecycleConfiguration"]["Rules"], name


def test_the_work_of_runs_expires_and_no_model_and_no_configuration(resources: Data) -> None:
    always, by_parameter = _expiring(resources)
    assert always == {("ArtifactsBucket", keys.RUNS_PREFIX, "KeepRunsDays"), (LOG, "", "KeepAccessLogDays")}
    folders = (keys.TRAIN_PREFIX, keys.PREDICT_PREFIX, keys.REQUESTS_PREFIX)
    assert by_parameter == {
        *(("UploadsBucket", folder, "KeepUploadsDays") for folder in folders),
        ("ResultsBucket", "", "KeepResultsDays"),
    }
    assert not keys.CONFIG_KEY.startswith(folders)
    assert not keys.MODELS_PREFIX.startswith(keys.RUNS_PREFIX)


@pytest.mark.parametrize(
    ("condition", "days"), [("UploadsExpire", "KeepUploadsDays"), ("ResultsExpire", "KeepResultsDays")]
)
def test_zero_days_mean_that_no_rule_deletes(template: Data, condition: str, days: str) -> None:
    assert template["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": days}, 0]}]}
    assert template["Parameters"][days]["Default"] == 0


def test_only_the_studio_that_is_named_may_read_results_in_a_browser_and_none_by_default(
    template: Data, resources: Data
) -> None:
    shared = [name for name, each in _of_type(resources, "AWS::S3::Bucket") if "CorsConfiguration" in each]
    assert shared == ["ResultsBucket"]
    condition, rules, without = resources["ResultsBucket"]["Properties"]["CorsConfiguration"]["Fn::If"]
    (rule,) = rules["CorsRules"]
    assert rule["AllowedOrigins"] == [{"Ref": "StudioOrigin"}]
    assert set(rule["AllowedMethods"]) == {"GET", "HEAD"}
    assert without == {"Ref": "AWS::NoValue"}
    assert template["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "StudioOrigin"}, ""]}]}
    origin = template["Parameters"]["StudioOrigin"]
    assert origin["Default"] == ""
    taken = re.compile(origin["AllowedPattern"]).fullmatch
    assert taken("https://d-1a2b3c4d.studio.eu-west-1.sagemaker.aws")
    for other in ("*", "https://*", "http://d-1.studio.eu-west-1.sagemaker.aws", "https://example.com"):
        assert not taken(other), other


def test_every_bucket_keeps_the_versions_of_what_is_replaced_and_deletes_them_later(resources: Data) -> None:
    for name, bucket in _of_type(resources, "AWS::S3::Bucket"):
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}, name
        kept = [
            rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
            for rule in bucket["LifecycleConfiguration"]["Rules"]
            if "NoncurrentVersionExpiration" in rule and "Prefix" not in rule
        ]
        assert kept == ([1] if name == LOG else [{"Ref": "KeepRunsDays"}]), name


def test_the_three_buckets_log_who_uses_a_file_by_parameter_and_only_s3_writes_the_log() -> None:
    on, off = (variants.resources(variants.chosen(KeepAccessLogDays=days)) for days in (365, 0))
    assert set(on) - set(off) == {LOG, f"{LOG}Policy"}
    logged = ("UploadsBucket", "ArtifactsBucket", "ResultsBucket")
    for name in logged:
        assert "LoggingConfiguration" not in off[name]["Properties"]
        assert on[name]["Properties"]["LoggingConfiguration"]["DestinationBucketName"] == {"Ref": LOG}
    folders = [on[name]["Properties"]["LoggingConfiguration"]["LogFilePrefix"] for name in logged]
    assert len(set(folders)) == len(logged), "whose line it is"
    assert "LoggingConfiguration" not in on[LOG]["Properties"], "a log of itself would have no end"
    refused, writes = on[f"{LOG}Policy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (refused["Effect"], refused["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert writes["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert writes["Action"] == "s3:PutObject"
    assert writes["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
        "ArnEquals": {"aws:SourceArn": [{"Fn::GetAtt": [name, "Arn"]} for name in logged]},
    }


def test_a_text_in_the_work_of_a_run_is_gone_a_day_after_it_expired(resources: Data) -> None:
    rules = resources["ArtifactsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    (work,) = [rule for rule in rules if rule.get("Prefix") == keys.RUNS_PREFIX]
    assert work["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


def test_uploads_tell_eventbridge(resources: Data) -> None:
    uploads = resources["UploadsBucket"]["Properties"]
    assert uploads["NotificationConfiguration"]["EventBridgeConfiguration"] == {"EventBridgeEnabled": True}


def test_queues_and_the_topic_of_runs_are_encrypted_without_a_key_of_ones_own_too() -> None:
    resources = variants.resources(variants.chosen())
    assert all(queue["SqsManagedSseEnabled"] is True for _, queue in _of_type(resources, "AWS::SQS::Queue"))
    assert resources["Topic"]["Properties"]["KmsMasterKeyId"] == "alias/aws/sns"


def test_every_log_group_has_a_name_of_this_stack_and_an_end(resources: Data) -> None:
    for name, group in _of_type(resources, "AWS::Logs::LogGroup"):
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name
        assert "${AWS::StackName}" in group["LogGroupName"]["Fn::Sub"], name


def test_every_function_logs_to_a_group_of_its_own(resources: Data) -> None:
    functions = _of_type(resources, "AWS::Serverless::Function")
    groups = [function["LoggingConfig"]["LogGroup"]["Ref"] for _, function in functions]
    assert groups == [name.replace("Function", "Logs") for name, _ in functions]
    assert set(groups) <= set(resources)


def test_the_machines_log_has_every_step_but_no_data(resources: Data) -> None:
    logging = resources["StateMachine"]["Properties"]["Logging"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", False)


def test_what_holds_data_outlives_the_stack_and_nothing_else_does(resources: Data) -> None:
    """Other kinds have fixed names: kept, they would be in the way of the next stack of this name."""
    kept = {
        name: (each.get("DeletionPolicy"), each.get("UpdateReplacePolicy"))
        for name, each in resources.items()
        if "DeletionPolicy" in each or "UpdateReplacePolicy" in each
    }
    kinds = ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::DynamoDB::Table", "AWS::KMS::Key")
    holding = {name for name, each in resources.items() if each["Type"] in kinds}
    assert kept == dict.fromkeys(holding, ("RetainExceptOnCreate", "Retain"))
    assert len(holding) == 10
    assert {resources[name]["Type"] for name in holding} == {*KEPT_KINDS, "AWS::S3::BucketPolicy"}, (
        "`claimflow delete` names what is kept; a policy goes with its bucket"
    )
    assert not any("BucketName" in resources[name]["Properties"] for name in holding)
    assert "TableName" not in resources["Decisions"]["Properties"]
    assert resources["ImageRepository"]["Properties"]["EmptyOnDelete"] is True


def test_what_a_scan_is_told_to_pass_over_has_its_reason_beside_it(template: Data, resources: Data) -> None:
    skipped = [
        (name, each)
        for name, resource in resources.items()
        for each in resource.get("Metadata", {}).get("checkov", {}).get("skip", [])
    ]
    assert len(skipped) > 20
    for name, each in skipped:
        assert set(each) == {"id", "comment"}, name
        assert len(each["comment"].split()) > 3, name
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    head = text[: text.index("  AWS::CloudFormation::Interface")]
    for check in template["Metadata"]["cfn-lint"]["config"]["ignore_checks"]:
        assert re.search(rf"# .*{check} ", head), check


def test_only_what_step_functions_calls_itself_has_no_queue_for_what_it_could_not_do(resources: Data) -> None:
    called = json.dumps(resources["StateMachineRole"]["Properties"]["Policies"])
    for name, each in resources.items():
        if each["Type"] == "AWS::Serverless::Function" and name != "StoppedFunction":
            assert ("DeadLetterQueue" in each["Properties"]) != (f'"{name}", "Arn"' in called), name


def test_given_names_are_of_this_stack(resources: Data) -> None:
    """Two stacks live side by side, so nothing has a fixed name."""
    for name, each in resources.items():
        for key, value in each.get("Properties", {}).items():
            if key.endswith("Name") and key not in {"ServiceName", "MetricName"}:
                of_the_stack = isinstance(value, dict) and value.get("Ref") in resources
                assert of_the_stack or "AWS::StackName" in str(value), f"{name}.{key}"


def test_a_function_is_given_exactly_the_settings_it_reads(resources: Data) -> None:
    functions = dict(_of_type(resources, "AWS::Serverless::Function"))
    assert {"StartFunction", "StoppedFunction"} <= set(functions)
    for name, function in functions.items():
        given = set(function.get("Environment", {}).get("Variables", {}))
        assert given == _settings_read(function["Handler"].split(".")[0]), name


def test_every_setting_given_is_documented(resources: Data) -> None:
    documented = set(re.findall(r"CLAIMFLOW_[A-Z_]+", (ROOT / "docs" / "contracts.md").read_text("utf-8")))
    given = {
        variable
        for _, function in _of_type(resources, "AWS::Serverless::Function")
        for variable in function.get("Environment", {}).get("Variables", {})
    }
    assert given
    assert given <= documented


def test_every_handler_is_there(resources: Data) -> None:
    for name, function in _of_type(resources, "AWS::Serverless::Function"):
        package, module, attribute = function["Handler"].split(".")
        names = ast.parse((FUNCTIONS / package / f"{module}.py").read_text(encoding="utf-8")).body
        assigned = {target.id for node in names if isinstance(node, ast.Assign) for target in node.targets}
        defined = {node.name for node in names if isinstance(node, ast.FunctionDef)}
        assert attribute in assigned | defined, name


def test_an_upload_that_starts_nothing_is_kept(resources: Data) -> None:
    start = resources["StartFunction"]["Properties"]
    queue = {"Fn::GetAtt": ["UndeliveredUploads", "Arn"]}
    assert start["DeadLetterQueue"]["TargetArn"] == queue
    assert start["Events"]["Upload"]["Properties"]["DeadLetterConfig"]["Arn"] == queue


def test_a_change_of_what_is_live_that_is_not_published_is_kept(resources: Data) -> None:
    publish = resources["PublishFunction"]["Properties"]
    queue = {"Fn::GetAtt": ["UndeliveredModelChanges", "Arn"]}
    assert publish["DeadLetterQueue"]["TargetArn"] == queue
    assert publish["Events"]["ModelChange"]["Properties"]["DeadLetterConfig"]["Arn"] == queue


def test_every_change_in_this_stacks_models_is_published_and_no_other(resources: Data) -> None:
    pattern = resources["PublishFunction"]["Properties"]["Events"]["ModelChange"]["Properties"]["Pattern"]
    event = json.loads((ROOT / "tests" / "events" / "model_package_approved.json").read_text("utf-8"))
    assert event["source"] in pattern["source"]
    assert event["detail-type"] in pattern["detail-type"]
    assert pattern["detail"] == {"ModelPackageGroupName": [{"Ref": "AWS::StackName"}]}
    assert set(pattern["detail"]) <= set(event["detail"])


def test_only_train_and_predict_start_a_run(resources: Data) -> None:
    detail = resources["StartFunction"]["Properties"]["Events"]["Upload"]["Properties"]["Pattern"]["detail"]
    assert "object" not in detail, "files in other folders get an answer"


def test_what_runs_is_named_by_digest_and_stays_as_it_was(template: Data, resources: Data) -> None:
    by_digest = {"Fn::Sub": "${ImageRepository.RepositoryUri}@${ImageDigest}"}
    definition = resources["JobDefinition"]["Properties"]
    assert definition["ContainerProperties"]["Image"]["Fn::If"][:2] == ["WithImage", by_digest]
    assert definition["ResourceRetentionPolicy"] == {"SkipDeregisterOnUpdate": True}
    given = resources["PrepareFunction"]["Properties"]["Environment"]["Variables"]
    assert given["CLAIMFLOW_IMAGE"]["Fn::If"] == ["WithImage", by_digest, ""]
    assert given["CLAIMFLOW_JOB_DEFINITION"] == {"Ref": "JobDefinition"}, "the revision, not the name"
    digest = template["Parameters"]["ImageDigest"]
    assert [_takes(digest, value) for value in ("", f"sha256:{'a' * 64}", "latest")] == [True, True, False]


def test_no_image_that_a_model_version_names_is_overwritten_or_expires(resources: Data) -> None:
    repository = resources["ImageRepository"]["Properties"]
    assert repository["ImageTagMutability"] == "IMMUTABLE"
    assert "LifecyclePolicy" not in repository, "ECR does not see the model registry"


def test_batch_tries_again_only_when_the_machine_was_lost(resources: Data) -> None:
    rules = resources["JobDefinition"]["Properties"]["RetryStrategy"]["EvaluateOnExit"]
    assert rules[0] == {"OnStatusReason": "Host EC2*", "Action": "RETRY"}
    assert rules[-1] == {"OnReason": "*", "Action": "EXIT"}
    assert [rule["Action"] for rule in rules].count("RETRY") == 1
    assert len(rules) <= 5


def test_no_prediction_waits_in_silence_or_for_ever(resources: Data) -> None:
    """The reasons are all that Batch takes for machines of EC2; of any other, people are told."""
    actions = resources["JobQueue"]["Properties"]["JobStateTimeLimitActions"]
    assert {each["Reason"] for each in actions} == {
        "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
        "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
        "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
    }
    assert {(each["State"], each["Action"]) for each in actions} == {("RUNNABLE", "CANCEL")}
    told = resources["StoppedFunction"]["Properties"]["Events"]["QueueBlocked"]["Properties"]["Pattern"]
    assert told == {
        "source": ["aws.batch"],
        "detail-type": ["Batch Job Queue Blocked"],
        "detail": {"jobQueue": [{"Ref": "JobQueue"}]},
    }


def test_a_job_runs_as_an_ordinary_user_on_a_read_only_root(resources: Data) -> None:
    container = resources["JobDefinition"]["Properties"]["ContainerProperties"]
    assert container["User"] == "10001"
    assert container["Privileged"] is False
    assert container["ReadonlyRootFilesystem"] is True
    (scratch,) = container["LinuxParameters"]["Tmpfs"]
    assert scratch["ContainerPath"] == "/tmp"  # noqa: S108


def test_the_credentials_of_an_instance_are_given_for_a_token_only_and_no_further_than_one_hop(
    resources: Data,
) -> None:
    options = resources["LaunchTemplate"]["Properties"]["LaunchTemplateData"]["MetadataOptions"]
    assert options == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}


def test_nothing_runs_while_there_is_nothing_to_do(resources: Data) -> None:
    compute = resources["ComputeEnvironment"]["Properties"]["ComputeResources"]
    assert compute["MinvCpus"] == 0
    assert "DesiredvCpus" not in compute


def test_the_compute_environment_is_updated_in_place(resources: Data) -> None:
    """Batch does that only without a service role and with these strategies."""
    environment = resources["ComputeEnvironment"]["Properties"]
    assert environment["ReplaceComputeEnvironment"] is False
    assert "ServiceRole" not in environment
    strategies = environment["ComputeResources"]["AllocationStrategy"]["Fn::If"][1:]
    assert set(strategies) <= {
        "SPOT_PRICE_CAPACITY_OPTIMIZED",
        "SPOT_CAPACITY_OPTIMIZED",
        "BEST_FIT_PROGRESSIVE",
    }


def test_nothing_comes_in_and_only_https_goes_out(resources: Data) -> None:
    for name in ("SecurityGroup", "TrainingSecurityGroup"):
        group = resources[name]["Properties"]
        assert "SecurityGroupIngress" not in group
        assert [(rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupEgress"]] == [(443, 443)]


def test_every_parameter_is_described_and_asked_for_in_a_group(template: Data) -> None:
    parameters = template["Parameters"]
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(parameters)
    assert all("Description" in each and "Default" in each for each in parameters.values())


@pytest.mark.parametrize(("stage", "stack"), STAGES.items())
def test_a_stage_gives_only_parameters_that_the_template_has_and_takes(
    template: Data, stage: str, stack: str
) -> None:
    settings = _settings_of(stage)
    assert settings["global"]["parameters"]["stack_name"] == stack
    assert settings["deploy"]["parameters"]["s3_prefix"] == stack
    for override in settings["deploy"]["parameters"].get("parameter_overrides", []):
        name, value = override.split("=", 1)
        assert _takes(template["Parameters"][name], value), override


def test_training_may_have_several_instances(template: Data) -> None:
    count = template["Parameters"]["TrainingInstanceCount"]
    assert [_takes(count, value) for value in ("0", "1", "2", "16")] == [False, True, True, True]


def test_people_approve_models_in_production() -> None:
    assert "Approval=manual" in _settings_of("prod")["deploy"]["parameters"]["parameter_overrides"]


def _expiring(resources: Data) -> tuple[set[tuple[str, str, str]], set[tuple[str, str, str]]]:
    """Return which bucket's prefix expires after which parameter's days: always, and on a condition."""
    always, by_parameter = set(), set()
    for name, bucket in _of_type(resources, "AWS::S3::Bucket"):
        for each in bucket["LifecycleConfiguration"]["Rules"]:
            rule = each["Fn::If"][1] if "Fn::If" in each else each
            assert "ExpirationDate" not in rule
            if "ExpirationInDays" in rule:
                found = by_parameter if "Fn::If" in each else always
                found.add((name, rule.get("Prefix", ""), rule["ExpirationInDays"]["Ref"]))
    return always, by_parameter


def _of_type(resources: Data, wanted: str) -> list[tuple[str, Data]]:
    found = [(name, each.get("Properties", {})) for name, each in resources.items() if each["Type"] == wanted]
    assert found
    return found


def _settings_of(stage: str) -> Data:
    stages = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    assert set(stages) == {"version", *STAGES}
    return dict(stages[stage])


def _takes(parameter: Data, value: str) -> bool:
    if parameter["Type"] == "Number":
        number = float(value)
        allowed = parameter.get("AllowedValues", [number])
        return number in allowed and parameter.get("MinValue", number) <= number <= parameter.get(
            "MaxValue", number
        )
    pattern = parameter.get("AllowedPattern", ".*")
    return value in parameter.get("AllowedValues", [value]) and re.fullmatch(pattern, value) is not None


def _settings_read(package: str) -> set[str]:
    """Return the variables that a function's modules name, or get by a function of shared/settings.py."""
    helpers = _helpers()
    source = "\n".join(path.read_text(encoding="utf-8") for path in (FUNCTIONS / package).glob("*.py"))
    called = set(re.findall(r"settings\.(\w+)\(", source)) & set(helpers)
    return set(re.findall(r"CLAIMFLOW_[A-Z_]+", source)) | {helpers[name] for name in called}


def _helpers() -> dict[str, str]:
    tree = ast.parse((FUNCTIONS / "shared" / "settings.py").read_text(encoding="utf-8"))
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            named = re.findall(r"CLAIMFLOW_[A-Z_]+", ast.unparse(node))
            if named:
                found[node.name] = named[0]
    assert "artifacts_bucket" in found
    return found
