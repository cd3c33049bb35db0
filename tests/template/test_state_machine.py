"""The state machine: every error is caught, no failed job runs again, every path is there when it is read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources as package_files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from register.lock import LOCK_SECONDS

Data = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
WHERE = "Train in a VPC?"
PREDICTING = ("Predict", "Predict in parallel")
TUNING = ("Tune", "Tune further")
REDRIVEN = ("Failed", "PartlyDone")
JOB_FAILED = {"States.TaskFailed", "States.ALL", "States.Timeout"}
WRITTEN_BEFORE = {
    "$.run.action": "prepare always gives it",
    "$.plan.left": "tune always gives it with its plan",
    "$.plan.further": "tune always gives it with its plan",
    "$.run.accuracy_bar": "prepare always gives it",
    "$.run.predict_wanted": "prepare always gives it",
    "$.evaluation.accuracy": "evaluate always gives it",
    "$.evaluation.worse_than_live": "evaluate always gives it",
    "$.registration.live": "register always gives it",
    "$.results.missing_rows": "collect always gives it",
    "$.failure.wait.begins": "explain gives it with the wait that is looked for before",
    "$.failure.again": "explain always gives it, and so does the state that stands in for it",
    "$.again.step": "explain always gives it to a redriven run",
    "$.validation.predict.single": "validate gives it whenever there is something to predict",
}


def test_the_definition_is_valid_amazon_states_language(machine: Data) -> None:
    file = (
        package_files.files("cfnlint") / "data" / "schemas" / "other" / "step_functions" / "statemachine.json"
    )
    validator = Draft7Validator(json.loads(file.read_text(encoding="utf-8")))
    assert [error.message for error in validator.iter_errors(machine)] == []
    assert list(validator.iter_errors({**machine, "StartAt": 3})), "the schema refuses nothing"


def test_every_state_is_reachable_and_every_arrow_ends_at_a_state(machine: Data, states: Data) -> None:
    reached, waiting = set(), [machine["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += _next(states[name])
    assert reached == set(states)


def test_each_run_ends_in_one_of_five_ways(states: Data) -> None:
    """Two of them are tasks that fail until they are redriven."""
    ends = {name: state["Type"] for name, state in states.items() if not _next(state)}
    assert ends == {"Done": "Succeed", "Rejected": "Fail", "Refused": "Fail"}
    for name in REDRIVEN:
        assert "Catch" not in states[name], name
        assert states[name]["Next"] == "Which step again?"
        assert states[name]["Parameters"]["Payload"]["redrives.$"] == "$$.Execution.RedriveCount"


def test_every_error_of_a_step_is_explained(states: Data) -> None:
    for name, state in _tasks(states):
        if not _publishes(state) and name not in {"Explain", *REDRIVEN}:
            assert state["Catch"][-1] == {
                "ErrorEquals": ["States.ALL"],
                "ResultPath": "$.error",
                "Next": "Explain",
            }, name
            assert len(state["Catch"]) == (2 if name in (*PREDICTING, *TUNING) else 1), name


def test_what_failed_shards_leave_is_collected(states: Data) -> None:
    for name in PREDICTING:
        assert states[name]["Catch"][0] == {
            "ErrorEquals": ["States.TaskFailed"],
            "ResultPath": "$.prediction",
            "Next": "Collect",
        }
        assert states[name]["ResultPath"] == "$.prediction"


def test_what_the_trials_of_a_failed_tuning_leave_is_looked_at(states: Data) -> None:
    for name in TUNING:
        assert states[name]["Catch"][0] == {
            "ErrorEquals": ["States.TaskFailed"],
            "ResultPath": "$.tuned",
            "Next": "Choose",
        }
        assert states[name]["ResultPath"] == "$.tuned"


def test_a_trial_is_trained_as_a_training_is_but_for_what_only_one_of_them_has(states: Data) -> None:
    train, described = states["Train"]["Parameters"], states["Describe a trial"]
    trial = described["Parameters"]
    assert described["ResultPath"] == "$.trial"
    for name in TUNING:
        definition = states[name]["Parameters"]["TrainingJobDefinition.$"]
        assert definition == "States.JsonMerge($.trial, $.plan.network, false)"
    same = set(train) & set(trial)
    assert {key.removesuffix(".$") for key in same if train[key] != trial[key]} == {
        "InputDataConfig",
        "OutputDataConfig",
        "StoppingCondition",
    }
    assert {key.removesuffix(".$") for key in set(train) - same} == {
        "TrainingJobName",
        "HyperParameters",
        "EnableManagedSpotTraining",
        "CheckpointConfig",
        "Tags",
    }
    assert set(trial) - same == {"StaticHyperParameters.$"}


def test_a_redriven_run_goes_back_to_the_step_that_failed(states: Data) -> None:
    again = states["Which step again?"]
    ways = {rule["StringEquals"]: rule["Next"] for rule in again["Choices"]}
    # A tuning is planned anew, as there are more trials by then.
    assert ways == {**{name: name for name in ways}, "Tune": "Plan", "Train": WHERE}
    steps = {name for name, state in _tasks(states) if not _publishes(state)}
    others = {"Explain", "Turn", "Tune further", "Train in the VPC", *REDRIVEN, *PREDICTING}
    assert set(ways) == steps - others
    reset = states[again["Default"]]
    assert (reset["Result"], reset["ResultPath"], reset["Next"]) == ({}, "$.prediction", "A small file?")


def test_the_jobs_of_a_redriven_run_have_names_of_their_own(states: Data) -> None:
    for name, key in (("Train", "TrainingJobName.$"), *((each, "JobName.$") for each in PREDICTING)):
        assert "$$.Execution.RedriveCount" in states[name]["Parameters"][key]


def test_no_end_has_a_name_that_the_function_stopped_tells_too(states: Data, resources: Data) -> None:
    told = resources["StoppedFunction"]["Properties"]["Events"]["FailedPastEveryCatch"]["Properties"]
    assert told["Pattern"]["detail"]["error"] == [{"prefix": "States."}]
    assert states["Unexplained"]["Parameters"]["error"] == "Unexpected"
    assert states["Some rows are missing"]["Parameters"]["error"] == "PartlyDone"


def test_a_message_that_cannot_be_sent_changes_nothing(states: Data) -> None:
    publishing = [(name, state) for name, state in _tasks(states) if _publishes(state)]
    assert len(publishing) == 7
    for name, state in publishing:
        assert state["Catch"] == [
            {"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": state["Next"]}
        ], name
        assert state["ResultPath"] is None, name


def test_when_explaining_fails_the_error_itself_is_told(states: Data) -> None:
    (catch,) = states["Explain"]["Catch"]
    assert catch["ResultPath"] is None, "the first error would be lost"
    fallback = states[catch["Next"]]
    assert fallback["ResultPath"] == "$.failure"
    given = {key.removesuffix(".$") for key in fallback["Parameters"]}
    assert given == {"error", "sentence", "subject", "message", "again", "redrives"}
    assert "$.error.Cause" not in str(fallback), "an error need not have a cause"


def test_every_call_is_tried_again_with_full_jitter(states: Data) -> None:
    for name, state in _tasks(states):
        assert state["Retry"], name
        for retry in state["Retry"]:
            assert retry["JitterStrategy"] == "FULL", name
            assert retry["MaxAttempts"] > 0, name
            assert retry["MaxDelaySeconds"] >= retry["IntervalSeconds"], name


def test_nothing_that_failed_by_itself_is_tried_again(states: Data) -> None:
    """A failed job is States.TaskFailed, a user's mistake has its exception's name: neither has a prefix."""
    for name, state in _tasks(states):
        tried = {error for retry in state["Retry"] for error in retry["ErrorEquals"]}
        assert not tried & JOB_FAILED, name
        tried -= {"AwsUnavailable", "AnotherGoesLive", "AnotherTrains"}
        assert {error.split(".")[0] for error in tried} <= {"Lambda", "SageMaker", "Batch", "SNS"}, name


def test_every_task_and_the_machine_have_a_time_out(machine: Data, states: Data) -> None:
    assert all(state["TimeoutSeconds"] > 0 for _, state in _tasks(states))
    assert machine["TimeoutSeconds"] > max(state["TimeoutSeconds"] for _, state in _tasks(states))


def test_no_time_out_ends_what_the_template_still_allows(
    states: Data, template: Data, resources: Data
) -> None:
    longest = {name: each["MaxValue"] for name, each in template["Parameters"].items() if "MaxValue" in each}
    assert states["Train"]["TimeoutSeconds"] > 2 * longest["MaxTrainingSeconds"], (
        "Spot may wait as long as it trains"
    )
    attempts = resources["JobDefinition"]["Properties"]["RetryStrategy"]["Attempts"]
    assert states["Predict"]["TimeoutSeconds"] > attempts * longest["MaxShardSeconds"]
    for name, state in _tasks(states):
        if re.fullmatch(r"\$\{\w+Function\}", state["Resource"]):
            function = resources[state["Resource"][2:-1]]["Properties"]
            assert state["TimeoutSeconds"] > function.get("Timeout", 60), name


def test_substitutions_and_the_template_agree(machine: Data, resources: Data) -> None:
    used = set(re.findall(r"\$\{(\w+)\}", json.dumps(machine)))
    given = resources["StateMachine"]["Properties"]["DefinitionSubstitutions"]
    assert used == set(given)


def test_each_function_of_the_machine_may_be_invoked_and_no_other(states: Data, resources: Data) -> None:
    invoked = {
        state["Resource"][2:-1] for _, state in _tasks(states) if state["Resource"].endswith("Function}")
    }
    (policy,) = resources["StateMachineRole"]["Properties"]["Policies"]
    allowed = next(
        each for each in policy["PolicyDocument"]["Statement"] if each["Action"] == "lambda:InvokeFunction"
    )
    assert {arn["Fn::GetAtt"][0] for arn in allowed["Resource"]} == invoked


def test_choices_read_only_what_is_there(states: Data) -> None:
    """A path that is missing fails a Choice with States.Runtime, which nothing catches."""
    for name, state in states.items():
        for rule in state.get("Choices", []):
            guarded = {each["Variable"] for each in _comparisons(rule) if each.get("IsPresent") is True}
            read = {path for each in _comparisons(rule) for path in _paths(each)}
            assert read - guarded <= set(WRITTEN_BEFORE), name


def test_a_model_below_a_bar_of_its_configuration_never_meets_the_registry(states: Data) -> None:
    """It comes before the comparison with the live model, which Register repeats."""
    first = states["Gate"]["Choices"][0]
    assert {"Variable": "$.evaluation.below", "IsPresent": True} in first["And"]
    assert states[states[first["Next"]]["Next"]]["Next"] == "Rejected"


def test_a_model_without_figures_is_not_registered(states: Data) -> None:
    """The way to the registry is opened by a comparison that holds, not by one that does not."""
    gate = states["Gate"]
    assert gate["Default"] == "Below the bar"
    (opening,) = [rule for rule in gate["Choices"] if rule["Next"] == "Register"]
    assert opening["NumericGreaterThanEqualsPath"] == "$.run.accuracy_bar"


@pytest.mark.parametrize("state", ["Register", "Threshold"])
def test_a_run_waits_for_another_that_goes_live_longer_than_a_lost_one_could_block_it(
    states: Data, resources: Data, state: str
) -> None:
    (waiting,) = [each for each in states[state]["Retry"] if each["ErrorEquals"] == ["AnotherGoesLive"]]
    growing, wait = 0.0, float(waiting["IntervalSeconds"])
    for _ in range(waiting["MaxAttempts"]):
        growing += wait / 2  # on average: the jitter is full
        wait = min(wait * waiting["BackoffRate"], waiting["MaxDelaySeconds"])
    assert resources["RegisterFunction"]["Properties"]["Timeout"] < LOCK_SECONDS
    assert growing > LOCK_SECONDS


def test_a_request_for_another_target_takes_one_step_of_the_function_that_decides_what_is_live(
    states: Data,
) -> None:
    (rule,) = states["Another target only?"]["Choices"]
    assert [part["Variable"] for part in rule["And"]] == ["$.request.action"] * 2
    assert (rule["And"][0]["IsPresent"], rule["And"][1]["StringEquals"]) == (True, "threshold")
    threshold = states[rule["Next"]]
    assert (threshold["Resource"], threshold["ResultPath"]) == (
        states["Register"]["Resource"],
        "$.registration",
    )
    assert set(threshold["Parameters"]) == {"request.$", "execution.$"}
    assert states[threshold["Next"]]["Next"] == "Done"
    assert states["Another target only?"]["Default"] == "Prepare"


def test_a_model_that_was_overtaken_is_compared_before_it_is_registered(states: Data) -> None:
    overtaken, lost = states["Is another model live now?"]["Choices"]
    assert lost["Next"] == "Notify rejected"
    again = states[overtaken["Next"]]
    assert (again["Type"], again["Next"]) == ("Pass", WHERE)
    assert set(again["Parameters"]) == {"request.$", "run.$", "validation.$"}


def test_a_training_that_got_no_machine_waits_and_trains_under_another_name(states: Data) -> None:
    assert states["Explain"]["Next"] == "Can a machine come later?"
    begins, goes_on = states["Can a machine come later?"]["Choices"]
    assert begins["Next"] == "Notify waiting"
    assert states["Notify waiting"]["Next"] == goes_on["Next"] == "Wait for a machine"
    assert states["Can a machine come later?"]["Default"] == "Notify failed"
    named = states[states["Wait for a machine"]["Next"]]
    assert (named["InputPath"], named["ResultPath"]) == ("$.failure.wait.job_name", "$.run.job_name")
    assert named["Next"] == WHERE


def test_a_full_quota_is_not_tried_again_in_silence(states: Data) -> None:
    tried = {error for retry in states["Train"]["Retry"] for error in retry["ErrorEquals"]}
    assert "SageMaker.ThrottlingException" in tried
    assert "SageMaker.ResourceLimitExceededException" not in tried


def test_a_model_that_lost_is_rejected_only_if_what_it_lost_to_is_live_still(states: Data) -> None:
    assert states["Below the live model"]["Next"] == "Register"


def test_a_choice_without_a_match_still_goes_on(states: Data) -> None:
    assert all("Default" in state for state in states.values() if state["Type"] == "Choice")


def test_batch_has_no_array_of_one(states: Data) -> None:
    choice = states["Only one shard?"]
    single, many = choice["Choices"][0]["Next"], choice["Default"]
    assert "ArrayProperties" not in states[single]["Parameters"]
    assert states[many]["Parameters"]["ArrayProperties"] == {"Size.$": "$.validation.predict.shards"}


def test_the_jobs_get_what_the_container_reads(states: Data) -> None:
    for name in ("Predict", "Predict in parallel"):
        environment = states[name]["Parameters"]["ContainerOverrides"]["Environment"]
        assert [each["Name"] for each in environment] == ["CLAIMFLOW_MANIFEST", "CLAIMFLOW_MODEL"]


def test_a_trainings_name_changes_with_each_attempt_and_its_network_is_cut(states: Data) -> None:
    parameters = states["Train"]["Parameters"]
    assert parameters["TrainingJobName.$"].endswith(
        "$.run.job_name, $$.Execution.RedriveCount, $$.State.RetryCount)"
    )
    assert parameters["EnableNetworkIsolation"] is True
    assert parameters["EnableInterContainerTrafficEncryption"] is True


def test_every_run_is_started_by_the_alias_that_names_the_newest_version(
    template: Data, resources: Data
) -> None:
    assert resources["StateMachine"]["Properties"]["AutoPublishAlias"] == "live"
    alias = {"Ref": "StateMachineAliaslive"}  # as SAM names it
    start = resources["StartFunction"]["Properties"]["Environment"]["Variables"]
    assert start["CLAIMFLOW_STATE_MACHINE"] == alias
    assert template["Outputs"]["StateMachineAliasArn"]["Value"] == alias


def test_the_jobs_run_what_was_there_when_the_run_began(states: Data) -> None:
    algorithm = states["Train"]["Parameters"]["AlgorithmSpecification"]
    assert algorithm["TrainingImage.$"] == "$.run.image"
    for name in PREDICTING:
        assert states[name]["Parameters"]["JobDefinition.$"] == "$.run.job_definition"


def test_a_stopped_training_is_no_surprise(states: Data) -> None:
    """DescribeTrainingJob gives a stopped job no ModelArtifacts; its other three are always there."""
    selected = " ".join(states["Train"]["ResultSelector"].values())
    paths = set(re.findall(r"\$\.[A-Za-z0-9.]+", selected))
    assert paths == {
        "$.TrainingJobName",
        "$.TrainingJobStatus",
        "$.SecondaryStatus",
        "$.OutputDataConfig.S3OutputPath",
    }


def test_only_the_definition_imports_the_sdk() -> None:
    folders = ("contract", "model", "container", "functions", "workflow", "local", "examples", "tests")
    importing = [
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"^\s*(import|from) stepfunctions", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert importing == ["workflow/definition.py"]


@pytest.mark.parametrize("key", ["Subject.$", "Message.$"])
def test_people_are_told_in_the_words_of_a_function(states: Data, key: str) -> None:
    about = {state["Parameters"][key].split(".")[1] for _, state in _tasks(states) if _publishes(state)}
    assert about == {"evaluation", "registration", "results", "failure"}


def _next(state: Data) -> list[str]:
    ways = [rule["Next"] for rule in state.get("Choices", []) + state.get("Catch", [])]
    return ways + [state[key] for key in ("Next", "Default") if key in state]


def _tasks(states: Data) -> list[tuple[str, Data]]:
    return [(name, state) for name, state in states.items() if state["Type"] == "Task"]


def _publishes(state: Data) -> bool:
    return state["Resource"].endswith(":sns:publish")


def _comparisons(rule: Data) -> Iterator[Data]:
    """Yield the single comparisons of a rule, in the order in which they are made."""
    for inner in rule.get("And", []):
        yield from _comparisons(inner)
    if "Variable" in rule:
        yield rule


def _paths(comparison: Data) -> set[str]:
    others = {value for key, value in comparison.items() if key.endswith("Path")}
    return others if "IsPresent" in comparison else others | {comparison["Variable"]}


def test_a_training_in_the_vpc_is_the_same_as_the_other_but_for_its_network(states: Data) -> None:
    where = states[WHERE]
    (given,) = where["Choices"]
    assert (given["Variable"], given["IsPresent"]) == ("$.run.vpc_config", True)
    assert where["Default"] == "Train"
    in_vpc, other = states[given["Next"]], states["Train"]
    parameters = dict(in_vpc["Parameters"])
    assert parameters.pop("VpcConfig.$") == "$.run.vpc_config"
    assert in_vpc | {"Parameters": parameters} == other
