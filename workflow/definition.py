"""The state machine, in Python: what follows what, what is tried again, and where every error ends.

`make generate` writes it to `workflow/state_machine.asl.json`, which template.yaml deploys, and draws it in
docs/state_machine.md. Each `${…}` is a DefinitionSubstitution of template.yaml.
"""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

from contract import steps
from contract.errors import (
    AnotherGoesLive,
    AnotherTrains,
    AwsUnavailable,
    ModelRejected,
    PartlyDone,
    Unexpected,
)
from contract.state import THRESHOLD
from contract.steps import Step
from contract.tuning import OBJECTIVE

Asl = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent
ASL_FILE = ROOT / "workflow" / "state_machine.asl.json"


@contextmanager
def _quietly() -> Iterator[None]:
    """Contain the import of the SDK: it sets the root logger to ERROR, warns, and logs what it misses."""
    root, disabled = logging.getLogger(), logging.root.manager.disable
    level = root.level
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.setLevel(level)
        logging.disable(disabled)


with _quietly():
    from stepfunctions.steps import Catch, Chain, Choice, Fail, Graph, Map, Pass, Retry, Succeed, Task, Wait
    from stepfunctions.steps import ChoiceRule as Rule
    from stepfunctions.steps.states import State


class _NewField(Enum):
    """Fields of the States Language that are younger than the SDK (its last release is of 2021)."""

    ERROR_PATH = "error_path"
    CAUSE_PATH = "cause_path"
    JITTER_STRATEGY = "jitter_strategy"
    MAX_DELAY_SECONDS = "max_delay_seconds"
    RESULT_SELECTOR = "result_selector"


class _Retry(Retry):  # type: ignore[misc]  # the SDK has no types
    """A retrier that may spread its attempts, so that callers refused together do not come back together."""

    def allowed_fields(self) -> list[Enum]:
        return [*super().allowed_fields(), _NewField.JITTER_STRATEGY, _NewField.MAX_DELAY_SECONDS]


class _Job(Task):  # type: ignore[misc]
    """A task that keeps only what is named of its long answer."""

    def allowed_fields(self) -> list[Enum]:
        return [*super().allowed_fields(), _NewField.RESULT_SELECTOR]


class _Map(Map):  # type: ignore[misc]
    """A step for each item that keeps only what is named of the answers."""

    def allowed_fields(self) -> list[Enum]:
        return [*super().allowed_fields(), _NewField.RESULT_SELECTOR]


class _Fail(Fail):  # type: ignore[misc]
    """A failed end whose error and cause come from the state."""

    def allowed_fields(self) -> list[Enum]:
        return [*super().allowed_fields(), _NewField.ERROR_PATH, _NewField.CAUSE_PATH]


# A Lambda ends by itself after at most 900 seconds, a job by its StoppingCondition or its attempts' time-out.
# These time-outs are for the day on which the event that ends a state is lost: longer than its work can be.
LAMBDA_SECONDS = 960
LABEL_SECONDS = 330
CALLS_AT_ONCE = 5  # of the ten that a new account has
PUBLISH_SECONDS = 60
JOB_SECONDS = 5 * 24 * 3600
RUN_SECONDS = 11 * 24 * 3600

# Passing faults of the call itself. What a user did wrong, and a job that was started and then failed
# (States.TaskFailed), match none of these names and so are never tried again.
LAMBDA_FAULTS = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    AwsUnavailable.__name__,  # what a function raises when another service was too busy for it
]
# SageMaker reports throttling under its general name. A full instance quota is waited for (`_waits`).
TRAINING_FAULTS = [
    "SageMaker.AmazonSageMakerException",
    "SageMaker.SdkClientException",
    "SageMaker.ThrottlingException",
]
BATCH_FAULTS = [
    "Batch.AWSBatchException",
    "Batch.SdkClientException",
    "Batch.ServerException",
    "Batch.TooManyRequestsException",
]
SNS_FAULTS = ["SNS.AmazonSNSException", "SNS.SdkClientException", "SNS.ThrottledException"]

# The tags of every job.
STACK_TAG, RUN_TAG = "claimflow:stack", "claimflow:run"

# How often the execution was redriven: a step that runs again has new jobs, which need new names.
REDRIVES = "$$.Execution.RedriveCount"
# The steps to which a redriven execution goes back by their names; to Predict it goes back otherwise.
REPEATED = [step.name for step in (*steps.ORDER, steps.THRESHOLD) if step is not steps.PREDICT]

# What model/training.py prints, as curves in the SageMaker console.
METRICS = {
    "training:loss": r"training loss=([0-9.]+)",
    "validation:loss": r"validation loss=([0-9.]+)",
    # Also of its last line, which tells the accuracy of the model that is saved: by that a trial is judged.
    OBJECTIVE: r"validation.* accuracy[ =]([0-9.]+)",
}


def build() -> Asl:
    """Return the whole state machine as Amazon States Language."""
    again = Choice("Which step again?")
    # What was made before the shards failed says nothing of their next try.
    unlabelled = Pass("Label what is missing", result={}, result_path=steps.PREDICT.path)
    again.default_choice(unlabelled)
    anew = Pass("Another name", input_path="$.failure.wait.job_name", result_path="$.run.job_name")
    explain = _ends_badly(again, anew)
    predict = _predicts(explain, again)
    unlabelled.next(predict)
    by_action = Choice("Train or predict?")
    where = Choice("Train in a VPC?")
    anew.next(where)
    turn = _turn(explain)
    _trains(explain, where, predict)
    how = Choice("Tune first?")
    how.add_choice(Rule.StringEquals("$.run.action", "tune"), _tunes(explain, where))
    how.default_choice(where)
    turn.next(how)
    learns = [Rule.StringEquals("$.run.action", action) for action in ("train", "tune")]
    by_action.add_choice(Rule.Or(learns), turn)
    live = "$.run.live_model"
    by_action.default_choice(_uses("Use the live model", live, f"{live}.model_uri", predict))
    asked = {"request.$": "$.request", "execution.$": "$$.Execution.Id"}
    runs = Chain(
        [
            _function(steps.PREPARE, asked, explain),
            _function(steps.VALIDATE, {"run.$": "$.run"}, explain),
            by_action,
        ]
    )
    action = "$.request.action"
    is_threshold = Rule.And([Rule.IsPresent(action, True), Rule.StringEquals(action, THRESHOLD)])
    by_kind = Choice("Another target only?")
    by_kind.add_choice(is_threshold, _sets_threshold(asked, explain))
    by_kind.default_choice(runs)
    # Wrapped, so that a Catch can add its error to an input that is no object.
    story = Chain([Pass("Received", parameters={"request.$": "$"}), by_kind])
    comment = "Claimflow: texts in, categories out. Written by workflow/definition.py; do not edit."
    graph: Asl = Graph(story, comment=comment, timeout_seconds=RUN_SECONDS).to_dict()
    # A tuning that failed is planned anew, as there are more trials by then.
    begins = {steps.TRAIN.name: where.state_id, steps.TUNE.name: steps.PLAN.name}
    graph["States"][again.state_id]["Choices"] = [
        {"Variable": "$.again.step", "StringEquals": name, "Next": begins.get(name, name)}
        for name in REPEATED
    ]
    return graph


def _trains(explain: Task, where: Choice, predict: Choice) -> None:
    """Let `where` lead to the training and what follows it, which may lead back to it."""
    evaluate = _function(steps.EVALUATE, _given("run", "training", "validation"), explain)
    rejects = _rejects()
    after = Chain([evaluate, _gate(_registers(explain, where, predict, rejects), rejects)])
    # Of a parameter that may be absent, the States Language wants two states.
    network: Asl = {"VpcConfig.$": "$.run.vpc_config"}
    in_vpc = _training_job(steps.TRAIN_IN_VPC, explain, after, **network)
    where.add_choice(Rule.IsPresent("$.run.vpc_config", True), in_vpc)
    where.default_choice(_training_job(steps.TRAIN, explain, after))


def _tunes(explain: Task, train: Choice) -> Task:
    """Try settings, choose the best, and train with them on all training rows."""
    asked = {**_given("run"), "execution.$": "$$.Execution.Id", "redrives.$": REDRIVES}
    plan = _function(steps.PLAN, asked, explain, of=steps.TUNE)
    choose = _function(steps.CHOOSE, _given("run", "plan"), explain, of=steps.TUNE)
    best = Pass("Use the best settings", input_path=f"{steps.CHOOSE.path}.run", result_path="$.run")
    choose.next(best)
    best.next(train)
    left = Choice("Trials left?")
    none = Rule.NumericEquals("$.plan.left", 0)
    further = Rule.BooleanEquals("$.plan.further", True)
    warm = {
        "WarmStartConfig": {
            "ParentHyperParameterTuningJobs.$": "$.plan.parents",
            "WarmStartType": "IdenticalDataAndAlgorithm",
        }
    }
    left.add_choice(none, choose)
    left.add_choice(further, _tuning_job(steps.TUNE_FURTHER, explain, choose, **warm))
    left.default_choice(_tuning_job(steps.TUNE, explain, choose))
    describe = Pass("Describe a trial", parameters=_trial(), result_path="$.trial")
    describe.next(left)
    plan.next(describe)
    return plan


def _trial() -> Asl:
    return {
        "StaticHyperParameters.$": "$.plan.hyperparameters",
        "AlgorithmSpecification": _algorithm(),
        "RoleArn": "${TrainingRole}",
        "InputDataConfig.$": "$.validation.train.trial_channels",
        "OutputDataConfig.$": "$.plan.output_config",
        "ResourceConfig.$": "$.run.resource_config",
        "StoppingCondition.$": "$.plan.stopping_condition",
        "EnableNetworkIsolation": True,
        "EnableInterContainerTrafficEncryption": True,
    }


def _tuning_job(step: Step, explain: Task, choose: Task, **more: Asl) -> Task:
    parameters = {
        "HyperParameterTuningJobName.$": "States.Format('{}-{}', $.plan.name, $$.State.RetryCount)",
        "HyperParameterTuningJobConfig.$": "$.plan.config",
        # With the network, if there is one: what may be absent can only come from the state.
        "TrainingJobDefinition.$": "States.JsonMerge($.trial, $.plan.network, false)",
        "Tags": _tags(),
        **more,
    }
    selector = {"status.$": "$.HyperParameterTuningJobStatus"}
    call = "sagemaker:createHyperParameterTuningJob.sync"
    job = _job(step, call, TRAINING_FAULTS, explain, parameters=parameters, result_selector=selector)
    # A tuning that failed, or was stopped, may have trials that are good: Choose sees what there is.
    job.catches.insert(0, Catch(choose, error_equals=["States.TaskFailed"], result_path=step.path))
    job.next(choose)
    return job


def _algorithm() -> Asl:
    return {
        "TrainingImage.$": "$.run.image",
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": name, "Regex": regex} for name, regex in METRICS.items()],
    }


def _tags() -> list[Asl]:
    return [{"Key": STACK_TAG, "Value": "${StackName}"}, {"Key": RUN_TAG, "Value.$": "$.run.id"}]


def _turn(explain: Task) -> Task:
    """Let a training wait until those that began before it have ended."""
    turn = Task(
        steps.TURN,
        resource="${TurnFunction}",
        parameters={"execution.$": "$$.Execution.Id"},
        result_path=None,
        timeout_seconds=LAMBDA_SECONDS,
        retry=_again(LAMBDA_FAULTS, first=1, longest=20),
        catch=_to(explain),
    )
    # For five days, as the jitter halves each wait: as long as two trainings may take with their waits for a
    # machine. A try is three of the 25,000 events that an execution may have.
    turn.add_retry(_again([AnotherTrains.__name__], first=20, longest=300, attempts=3_000))
    return turn


def _training_job(step: Step, explain: Task, after: Chain, **more: Asl) -> Task:
    parameters = {
        # SageMaker never takes a name twice, not even for a training that failed; a redrive counts anew.
        "TrainingJobName.$": (
            f"States.Format('{{}}-{{}}-{{}}', $.run.job_name, {REDRIVES}, $$.State.RetryCount)"
        ),
        "RoleArn": "${TrainingRole}",
        "AlgorithmSpecification": _algorithm(),
        "HyperParameters.$": "$.run.hyperparameters",
        "InputDataConfig.$": "$.validation.train.channels",
        "OutputDataConfig.$": "$.run.output_config",
        "ResourceConfig.$": "$.run.resource_config",
        "StoppingCondition.$": "$.run.stopping_condition",
        "EnableManagedSpotTraining.$": "$.run.use_spot",
        "CheckpointConfig": {"S3Uri.$": "$.run.checkpoints", "LocalPath": "/opt/ml/checkpoints"},
        "EnableNetworkIsolation": True,
        "EnableInterContainerTrafficEncryption": True,  # of gradients, between several hosts
        "Tags": _tags(),
        **more,
    }
    output = "States.Format('{}/{}/output/%s.tar.gz', $.OutputDataConfig.S3OutputPath, $.TrainingJobName)"
    result_selector = {
        "job.$": "$.TrainingJobName",
        "status.$": "$.TrainingJobStatus",
        "detail.$": "$.SecondaryStatus",
        # Not from ModelArtifacts: a job stopped early has none, and no Catch takes the States.Runtime of a
        # path that is not there.
        "model_uri.$": output % "model",
        "output_uri.$": output % "output",
    }
    call = "sagemaker:createTrainingJob.sync"
    job = _job(step, call, TRAINING_FAULTS, explain, parameters=parameters, result_selector=result_selector)
    job.next(after)
    return job


def _gate(register: Chain, rejects: Task) -> Choice:
    """Compare the accuracy itself: what is no figure passes no comparison, and so is rejected.

    What else stands against a model is judged where the figures are understood, by evaluate.
    """
    at_bar = Rule.NumericGreaterThanEqualsPath("$.evaluation.accuracy", "$.run.accuracy_bar")
    gate = Choice(steps.GATE)
    below = Rule.And([at_bar, Rule.IsPresent("$.evaluation.below", True)])
    gate.add_choice(below, _passes("Below another bar", rejects))
    # Register looks whether the model that it lost to is live still.
    worse_than_live = Rule.And([at_bar, Rule.BooleanEquals("$.evaluation.worse_than_live", True)])
    gate.add_choice(worse_than_live, _passes("Below the live model", register))
    too_little = Rule.And([at_bar, Rule.IsPresent("$.evaluation.reason", True)])
    gate.add_choice(too_little, _passes("Too little to go live", register))
    gate.add_choice(at_bar, register)
    gate.default_choice(_passes("Below the bar", rejects))
    return gate


def _rejects() -> Task:
    rejected = _Fail("Rejected", error=ModelRejected.__name__, cause_path="$.evaluation.message")
    return _notify("Notify rejected", steps.EVALUATE.path, rejected)


def _registers(explain: Task, train: Choice, predict: Choice, rejects: Task) -> Chain:
    wanted = Rule.And(
        [
            Rule.BooleanEquals("$.run.predict_wanted", True),
            Rule.BooleanEquals("$.registration.live", True),
        ]
    )
    predict_too = Choice("Predict too?")
    predict_too.add_choice(
        wanted, _uses("Use the new model", "$.registration", "$.training.model_uri", predict)
    )
    predict_too.default_choice(Succeed("Done"))
    given = _given("run", "training", "evaluation", "validation")
    register = _in_turn(_function(steps.REGISTER, given, explain))
    overtaken = Choice("Is another model live now?")
    overtaken.add_choice(Rule.IsPresent("$.registration.again", True), _compares_again(train))
    overtaken.add_choice(Rule.IsPresent("$.registration.rejected", True), rejects)
    overtaken.default_choice(_notify("Notify trained", steps.REGISTER.path, predict_too))
    return Chain([register, overtaken])


def _sets_threshold(asked: Asl, explain: Task) -> Chain:
    # The function that decides what is live: of two that change it, one waits for the other.
    threshold = _in_turn(_function(steps.THRESHOLD, asked, explain, of=steps.REGISTER))
    return Chain([threshold, _notify("Notify new target", steps.THRESHOLD.path, Succeed("Done"))])


def _in_turn(decides: Task) -> Task:
    """Let a step wait for another run that changes what is live at this moment."""
    decides.add_retry(_again([AnotherGoesLive.__name__], first=5, longest=60, attempts=40))
    return decides


def _compares_again(train: Choice) -> Pass:
    """Go back with the model that is live now; the training that follows only compares the two."""
    again = "$.registration.again"
    state = {"request.$": "$.request", "run.$": f"{again}.run", "validation.$": f"{again}.validation"}
    step = Pass("Compare again", parameters=state)
    step.next(train)
    return step


def _predicts(explain: Task, again: Choice) -> Choice:
    collect = _function(steps.COLLECT, _given("run", "validation", "model", "prediction"), explain)
    whole = Choice("All rows labelled?")
    whole.add_choice(Rule.NumericGreaterThan("$.results.missing_rows", 0), _partly(again))
    whole.default_choice(_notify("Notify results", steps.COLLECT.path, Succeed("Done")))
    rest = Chain([collect, whole])
    # Batch has no array job of one child.
    how = Choice("Only one shard?")
    how.add_choice(
        Rule.BooleanEquals("$.validation.predict.single", True), _batch_job(steps.PREDICT, explain, rest)
    )
    shards = {"ArrayProperties": {"Size.$": "$.validation.predict.shards"}}
    how.default_choice(_batch_job(steps.PREDICT_IN_PARALLEL, explain, rest, **shards))
    small = Choice("A small file?")
    shards_at_once = "$.validation.predict.at_once"
    small.add_choice(Rule.IsPresent(shards_at_once, True), _at_once(shards_at_once, how, collect))
    small.default_choice(how)
    return small


def _at_once(shards: str, batch: Choice, collect: Task) -> Map:
    """Label each shard by a call of the function; should one fail, whatever for, Batch labels the file.

    What the other calls made is whole, and stays. So no error is lost: Batch meets it again, and tells.
    """
    event = {"shard.$": "$$.Map.Item.Value", "image.$": "$.run.image", "model.$": "$.model.model_uri"}
    label = _Job(
        "Label a shard",
        resource=_service("lambda:invoke"),
        # By the name in the state, as there may be no function; Map gives each call this input.
        parameters={"FunctionName.$": "$.function", "Payload.$": "$.event"},
        result_selector={"gb_seconds.$": "$.Payload.gb_seconds"},
        timeout_seconds=LABEL_SECONDS,
        retry=_again(LAMBDA_FAULTS, first=1, longest=20),
    )
    calls = _Map(
        steps.PREDICT_AT_ONCE.name,
        iterator=label,
        items_path=shards,
        max_concurrency=CALLS_AT_ONCE,
        parameters={
            "function.$": "$.run.small.function",
            "event": {**event, "manifest.$": "$.validation.predict.manifest"},
        },
        result_selector={"succeeded": True, "calls.$": "$"},
        result_path=steps.PREDICT_AT_ONCE.path,
        catch=Catch(batch, error_equals=["States.ALL"], result_path="$.validation.predict.fallback"),
    )
    calls.next(collect)
    return calls


def _partly(again: Choice) -> Pass:
    """Return the way on which a run ends of which some shards failed; what the others made is delivered."""
    failure = {"error": PartlyDone.__name__, "sentence.$": "$.results.sentence", "redrives.$": REDRIVES}
    state = Pass("Some rows are missing", parameters=failure, result_path=steps.EXPLAIN.path)
    state.next(_notify("Notify partly done", steps.COLLECT.path, _fails(steps.PARTLY_DONE, again)))
    return state


def _batch_job(step: Step, explain: Task, after: Chain, **more: Asl) -> Task:
    parameters = {
        "JobName.$": f"States.Format('{{}}-{{}}', $.run.job_name, {REDRIVES})",
        "JobQueue": "${JobQueue}",
        "JobDefinition.$": "$.run.job_definition",
        "ContainerOverrides": {
            "Environment": [
                {"Name": "CLAIMFLOW_MANIFEST", "Value.$": "$.validation.predict.manifest"},
                {"Name": "CLAIMFLOW_MODEL", "Value.$": "$.model.model_uri"},
            ]
        },
        # By its tag the machine may end the job, and no other job of the account.
        "Tags": {STACK_TAG: "${StackName}", f"{RUN_TAG}.$": "$.run.id"},
        **more,
    }
    # Kept only to know that the job is done, or why it failed, and to ask what it cost.
    result_selector = {"succeeded": True, "job.$": "$.JobId"}
    call = "batch:submitJob.sync"
    job = _job(step, call, BATCH_FAULTS, explain, parameters=parameters, result_selector=result_selector)
    # A failed shard costs that shard: collect sees what is there, and whether it is enough.
    job.catches.insert(0, Catch(after, error_equals=["States.TaskFailed"], result_path=step.path))
    job.next(after)
    return job


def _ends_badly(again: Choice, anew: Pass) -> Task:
    """Explain → notify → fail. If even the explaining fails, Step Functions' own words have to do.

    A training for which there was no machine does not fail, but goes on with `anew` after a while.
    """
    by_mistake = _Fail("Refused", error_path="$.failure.error", cause_path="$.failure.sentence")
    can_go_on = Choice("Can another try help?")
    can_go_on.add_choice(Rule.BooleanEquals("$.failure.again", True), _fails(steps.FAILED, again))
    can_go_on.default_choice(by_mistake)
    notify = _notify("Notify failed", steps.EXPLAIN.path, can_go_on)
    # As JSON: an error need not have a Cause, and no Catch takes the States.Runtime of a missing path.
    # Only in the message: with the words around it, it may be longer than the 32,768 characters of a cause.
    sentence = (
        "The run failed, and explaining it failed too: look at the steps of the execution in the console."
    )
    plain = {
        # Not the error's own name: of those that begin with States. the function `stopped` tells people too.
        "error": Unexpected.__name__,
        "sentence": sentence,
        "again": True,
        "redrives.$": REDRIVES,
        "subject": "Claimflow: a run failed",
        "message.$": f"States.Format('{sentence} {{}}', States.JsonToString($.error))",
    }
    fallback = Pass("Unexplained", parameters=plain, result_path=steps.EXPLAIN.path)
    fallback.next(notify)
    payload = {"state.$": "$", "execution.$": "$$.Execution.Id", "redrives.$": REDRIVES}
    explain = _lambda(steps.EXPLAIN, payload)
    explain.add_catch(Catch(fallback, error_equals=["States.ALL"], result_path=None))
    explain.next(_waits(anew, notify))
    return explain


def _waits(anew: Pass, otherwise: Task) -> Choice:
    """Let a training that got no machine wait, and tell people so when the wait begins."""
    wait = Wait("Wait for a machine", seconds=steps.WAIT_SECONDS)
    wait.next(anew)
    waits = Rule.IsPresent("$.failure.wait", True)
    begins = Rule.BooleanEquals("$.failure.wait.begins", True)
    can_come = Choice("Can a machine come later?")
    can_come.add_choice(Rule.And([waits, begins]), _notify("Notify waiting", steps.EXPLAIN.path, wait))
    can_come.add_choice(waits, wait)
    can_come.default_choice(otherwise)
    return can_come


def _fails(name: str, again: Choice) -> Task:
    """Return an end that raises `$.failure`, until the execution is redriven: then it leads back.

    A Fail state would fail a redriven execution at once. This is the step at which such a run fails, so it is
    the one that a redrive runs again, with a larger count than `$.failure` has. The function answers by its
    token, as a cause can then be a plain sentence, where a Lambda's exception is JSON with a stack trace.
    """
    payload = {"state.$": "$", "end.$": "$.failure", "redrives.$": REDRIVES, "token.$": "$$.Task.Token"}
    state = Task(
        name,
        resource=_service("lambda:invoke.waitForTaskToken"),
        parameters={"FunctionName": "${ExplainFunction}", "Payload": payload},
        result_path="$.again",
        timeout_seconds=LAMBDA_SECONDS,
        retry=_again(LAMBDA_FAULTS, first=1, longest=20),
    )
    state.next(again)
    return state


def _function(step: Step, payload: Asl, explain: Task, of: Step | None = None) -> Task:
    """Return a step that a Lambda takes: its own, or that `of` another step."""
    state = _lambda(step, payload, of)
    state.add_catch(_to(explain))
    return state


def _lambda(step: Step, payload: Asl, of: Step | None = None) -> Task:
    # The function's ARN, not lambda:invoke: that one wraps its answer in $.Payload, and no field of the
    # States Language brings an object with optional keys from there to its place in the state.
    return Task(
        step.name,
        resource="${" + (of or step).name + "Function}",
        parameters=payload,
        result_path=step.path,
        timeout_seconds=LAMBDA_SECONDS,
        retry=_again(LAMBDA_FAULTS, first=1, longest=20),
    )


def _job(step: Step, call: str, faults: list[str], explain: Task, *, parameters: Asl, **fields: Asl) -> Task:
    return _Job(
        step.name,
        resource=_service(call),
        parameters=parameters,
        timeout_seconds=JOB_SECONDS,
        retry=_again(faults, first=5, longest=60),
        catch=_to(explain),
        **fields,
        result_path=step.path,
    )


def _notify(name: str, about: str, after: State) -> Task:
    """Publish; the run goes on whether or not anybody could be told."""
    message = {"TopicArn": "${Topic}", "Subject.$": f"{about}.subject", "Message.$": f"{about}.message"}
    state = Task(
        name,
        resource=_service("sns:publish"),
        parameters=message,
        result_path=None,
        timeout_seconds=PUBLISH_SECONDS,
        retry=_again(SNS_FAULTS, first=1, longest=10),
        catch=Catch(after, error_equals=["States.ALL"], result_path=None),
    )
    state.next(after)
    return state


def _uses(name: str, model: str, model_uri: str, predict: Choice) -> Pass:
    used = {"arn.$": f"{model}.arn", "version.$": f"{model}.version", "model_uri.$": model_uri}
    state = Pass(name, parameters=used, result_path="$.model")
    state.next(predict)
    return state


def _passes(name: str, after: Task) -> Pass:
    """Add a step that changes nothing: it is there to be seen in the graph."""
    state = Pass(name)
    state.next(after)
    return state


def _given(*keys: str) -> Asl:
    return {f"{key}.$": f"$.{key}" for key in keys}


def _to(explain: Task) -> Catch:
    return Catch(explain, error_equals=["States.ALL"], result_path="$.error")


def _again(faults: list[str], first: int, longest: int, attempts: int = 5) -> _Retry:
    return _Retry(
        error_equals=faults,
        interval_seconds=first,
        max_attempts=attempts,
        backoff_rate=2,
        max_delay_seconds=longest,
        jitter_strategy="FULL",
    )


def _service(call: str) -> str:
    # The SDK's own step classes ask boto3 for the region of whoever builds; the file must not depend on that.
    return "arn:${Partition}:states:::" + call


def render() -> str:
    """Return the text of `workflow/state_machine.asl.json`."""
    return json.dumps(build(), indent=2, ensure_ascii=False) + "\n"
