"""Every alarm can ring: a function writes what it looks at, or AWS counts it, with these dimensions."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from contract import metrics
from docs import variants

Data = dict[str, Any]

OWN = {metric.name: metric for metric in metrics.ALL}
# What AWS counts, from its documentation: the dimensions of a metric, and the kind of resource that it is of.
OF_AWS = {
    ("AWS/States", "ExecutionsStarted"): ("StateMachineArn", "AWS::Serverless::StateMachine"),
    ("AWS/States", "ExecutionsSucceeded"): ("StateMachineArn", "AWS::Serverless::StateMachine"),
    ("AWS/States", "ExecutionsAborted"): ("StateMachineArn", "AWS::Serverless::StateMachine"),
    ("AWS/States", "ExecutionsTimedOut"): ("StateMachineArn", "AWS::Serverless::StateMachine"),
    ("AWS/States", "ExecutionTime"): ("StateMachineArn", "AWS::Serverless::StateMachine"),
    ("AWS/Events", "TriggeredRules"): ("RuleName", "rule"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): ("QueueName", "AWS::SQS::Queue"),
    ("AWS/SNS", "NumberOfNotificationsFailed"): ("TopicName", "AWS::SNS::Topic"),
    ("AWS/Lambda", "Errors"): ("FunctionName", "AWS::Serverless::Function"),
    ("AWS/Lambda", "Throttles"): ("FunctionName", "AWS::Serverless::Function"),
}
# What a Ref or GetAtt of a resource gives is the value of its dimension.
NAMES_ITSELF = {"QueueName": "GetAtt", "TopicName": "GetAtt"}


@pytest.fixture(scope="session")
def alarms(resources: Data) -> dict[str, Data]:
    found = {
        name: each["Properties"]
        for name, each in resources.items()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    }
    assert len(found) > 10
    return found


@pytest.fixture(scope="session")
def widgets(resources: Data) -> list[Data]:
    """Return the widgets of the dashboard, its names of the stack as they stand in the template."""
    body = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    found = json.loads(body)["widgets"]
    assert found
    return list(found)


def test_an_alarm_looks_at_a_metric_that_is_there_with_exactly_its_dimensions(
    alarms: dict[str, Data], resources: Data
) -> None:
    for name, alarm in alarms.items():
        (dimension,) = alarm["Dimensions"]
        if alarm["Namespace"] == metrics.NAMESPACE:
            assert alarm["MetricName"] in OWN, name
            assert dimension == {"Name": metrics.DIMENSION, "Value": {"Ref": "AWS::StackName"}}, name
            continue
        key, kind = OF_AWS[alarm["Namespace"], alarm["MetricName"]]
        assert dimension["Name"] == key, name
        # The function of the image is no function of SAM's.
        found = _kind(dimension["Value"], key, resources)
        assert found.replace("AWS::Lambda::", "AWS::Serverless::") == kind, name


def test_an_alarm_tells_people_in_a_sentence_and_never_rings_for_want_of_data(
    alarms: dict[str, Data],
) -> None:
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}], name
        assert re.fullmatch(r"[A-Z].+\.", alarm["AlarmDescription"]), name
        assert alarm["TreatMissingData"] == "notBreaching", name


def test_a_threshold_is_one_or_a_parameter_in_the_metrics_unit(
    alarms: dict[str, Data], template: Data
) -> None:
    for name, alarm in alarms.items():
        if alarm["Threshold"] == 1:
            assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold", name
            continue
        parameter = alarm["Threshold"]["Ref"]
        assert parameter in template["Parameters"]
        assert parameter.endswith(OWN[alarm["MetricName"]].unit), name


def test_every_function_that_no_run_waits_for_has_alarms_of_its_errors_and_throttles(
    alarms: dict[str, Data], resources: Data
) -> None:
    steps = set(resources["StateMachine"]["Properties"]["DefinitionSubstitutions"])
    functions = {n for n, each in resources.items() if each["Type"] == "AWS::Serverless::Function"}
    # The run that fails tells of its steps; nobody would tell of explain, which tells it, nor of the function
    # in whose place Batch labels.
    alone = (functions - steps) | {"ExplainFunction", "LabelFunction"}
    for metric in ("Errors", "Throttles"):
        watched = {
            alarm["Dimensions"][0]["Value"]["Ref"]
            for alarm in alarms.values()
            if (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", metric)
        }
        assert watched == alone


def test_every_queue_has_an_alarm(alarms: dict[str, Data], resources: Data) -> None:
    queues = {name for name, each in resources.items() if each["Type"] == "AWS::SQS::Queue"}
    watched = {
        alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0]
        for alarm in alarms.values()
        if alarm["Namespace"] == "AWS/SQS"
    }
    assert watched == queues


def test_the_topic_of_the_alarms_is_encrypted_with_no_key_that_cloudwatch_cannot_use(resources: Data) -> None:
    """CloudWatch gets no answer from alias/aws/sns, whose policy nobody can change."""
    without_key = variants.resources(variants.chosen())["AlarmTopic"]
    assert "KmsMasterKeyId" not in without_key["Properties"]
    (statement,) = resources["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert set(statement["Principal"]["Service"]) == {"cloudwatch.amazonaws.com", "budgets.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_the_dashboard_draws_only_metrics_that_are_there(widgets: list[Data]) -> None:
    stack = [metrics.DIMENSION, "${AWS::StackName}"]
    machine = ["StateMachineArn", "${StateMachine}"]
    for widget in widgets:
        for namespace, name, *dimension in widget["properties"]["metrics"]:
            given = [each for each in dimension if not isinstance(each, dict)]
            if namespace == metrics.NAMESPACE:
                assert name in OWN
                assert given == stack
            else:
                assert (namespace, name) in OF_AWS
                assert given == machine


def test_what_the_dashboard_draws_together_has_one_unit_and_every_own_metric_of_files_is_drawn(
    widgets: list[Data],
) -> None:
    drawn = [[each[1] for each in widget["properties"]["metrics"]] for widget in widgets]
    for names in drawn:
        units = {OWN[name].unit if name in OWN else "of AWS" for name in names}
        assert len(units - {"of AWS"}) <= 1
    assert {name for names in drawn for name in names} >= {
        *("Accepted", "AcceptedShare", "LiveAccuracy", "BillableSeconds", "ExecutionsStarted")
    }


def test_the_widgets_lie_side_by_side_on_the_grid_and_not_on_each_other(widgets: list[Data]) -> None:
    taken = [
        (x, y)
        for widget in widgets
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


def test_the_budget_counts_what_has_the_tag_of_the_jobs_and_their_machines(
    resources: Data, states: Data
) -> None:
    (value,) = resources["Spending"]["Properties"]["Budget"]["CostFilters"]["TagKeyValue"]
    assert value["Fn::Sub"] == "user:claimflow:stack$${AWS::StackName}"
    tag = "claimflow:stack"
    compute = resources["ComputeEnvironment"]["Properties"]["ComputeResources"]
    assert compute["Tags"] == {tag: {"Ref": "AWS::StackName"}}
    tags = {each["Key"]: each.get("Value") for each in states["Train"]["Parameters"]["Tags"]}
    assert tags[tag] == "${StackName}"


def _kind(value: Data, key: str, resources: Data) -> str:
    """Return the type of the resource whose name a dimension has."""
    if key in NAMES_ITSELF:
        name, attribute = value["Fn::GetAtt"]
        assert attribute == key
        return str(resources[name]["Type"])
    name = value["Ref"]
    if name in resources:
        return str(resources[name]["Type"])
    function, event = re.fullmatch(r"(\w+Function)(\w+)", name).groups()  # as SAM calls the rule of an event
    assert resources[function]["Properties"]["Events"][event]["Type"] == "EventBridgeRule"
    return "rule"
