"""The audit: whether the promised precision still holds, by the accepted rows that people decided."""

import json
import random
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from contract.audit import ALL_WEEKS, Audited, sentence
from contract.queue import NONE_OF_THESE
from tests.unit.workflow.fakes import PlayedStepFunctions, add_model
from workflow.account import Account
from workflow.audit import audited
from workflow.cli import app
from workflow.decisions import Answer, Asked, Change, Decision, Decisions, Person


def decision(right: bool, model: int = 3, at: str = "2026-11-26T10:00:00+00:00", **more: object) -> Decision:
    category = "brakes" if right else "engine"
    given = {"category": category, "audit": True} | more
    change = Change(given["category"], "ana", at, "", "token")  # type: ignore[arg-type]
    return Decision(7, "brakes", model, bool(given["audit"]), (change,))


def whole(rows: int, right: int, target: float | None = 0.98) -> Audited:
    return Audited(3, ALL_WEEKS, rows, right, target)


@pytest.mark.parametrize(
    ("rows", "right", "interval"),
    # as scipy.stats.binomtest(right, rows).proportion_ci() gives them
    [
        (10, 10, (0.6915, 1.0)),
        (10, 0, (0.0, 0.3085)),
        (200, 196, (0.9496, 0.9945)),
        (200, 180, (0.8498, 0.9378)),
        (500, 489, (0.961, 0.989)),
    ],
)
def test_the_interval_is_that_of_clopper_and_pearson(
    rows: int, right: int, interval: tuple[float, float]
) -> None:
    assert whole(rows, right).interval == pytest.approx(interval, abs=2e-4)


def test_audits_are_counted_by_version_and_week_the_newest_version_first() -> None:
    found = audited(
        [
            decision(True, 2, "2026-01-01T10:00:00+00:00"),
            decision(True, 3, "2026-11-20T10:00:00+00:00"),
            decision(False, 3),
        ],
        {3: 0.98},
    )
    assert [(each.version, each.week, each.rows, each.right, each.target) for each in found] == [
        (3, ALL_WEEKS, 2, 1, 0.98),
        (3, "2026-W47", 1, 1, 0.98),
        (3, "2026-W48", 1, 0, 0.98),
        (2, ALL_WEEKS, 1, 1, None),
        (2, "2026-W01", 1, 1, None),
    ]


def test_an_accepted_row_of_none_of_the_categories_is_wrong() -> None:
    assert [(each.rows, each.right) for each in audited([decision(True, category=NONE_OF_THESE)], {})] == [
        (1, 0),
        (1, 0),
    ]


def test_rows_to_review_and_decisions_that_were_taken_back_do_not_count() -> None:
    assert audited([decision(True, audit=False), decision(True, category=None)], {}) == []


def test_the_answer_counts_that_was_given_before_it_was_told_how_sure_the_model_was() -> None:
    first = decision(False, at="2026-11-20T10:00:00+00:00")
    later = replace(first.changes[0], category="brakes", at="2026-11-27T10:00:00+00:00")
    changed = replace(first, changes=(*first.changes, later))
    assert [(each.week, each.right) for each in audited([replace(changed, told=1)], {})] == [
        (ALL_WEEKS, 0),
        ("2026-W47", 0),
    ]
    assert audited([changed], {})[0].right == 1
    taken_back = replace(first, changes=(*first.changes, replace(later, category=None)), told=1)
    assert [(each.rows, each.right) for each in audited([taken_back], {})] == [(1, 0), (1, 0)]


@pytest.mark.parametrize(
    ("rows", "right", "target", "verdict"),
    [
        (200, 199, 0.98, "holds"),
        (200, 194, 0.98, "may hold"),
        (200, 180, 0.98, "broken"),
        (9, 1, None, "no target"),
    ],
)
def test_the_verdict_says_whether_chance_explains_it(
    rows: int, right: int, target: float | None, verdict: str
) -> None:
    assert whole(rows, right, target).verdict.startswith(verdict)


def alarms(precision: float) -> int:
    """Return in how many of 100 draws of 200 audits the promise of 98% is called broken."""
    raised = 0
    for seed in range(100):
        chance = random.Random(seed)
        right = sum(chance.random() < precision for _ in range(200))
        raised += whole(200, right).broken
    return raised


def test_an_honest_model_raises_the_alarm_no_more_often_than_the_interval_allows() -> None:
    assert alarms(0.98) <= 5
    assert alarms(0.985) <= 2


def test_a_model_that_became_worse_raises_the_alarm() -> None:
    assert alarms(0.90) >= 95


def test_the_sentence_says_what_was_found_and_what_to_do() -> None:
    broken = sentence(whole(200, 180))
    assert broken.startswith("Of 200 rows that version 3 had accepted and people looked at, 90.0% are right")
    assert "promised are 98.0%. The promise is broken" in broken
    assert sentence(whole(200, 199)).endswith("promised are 98.0%.")
    assert "chance may explain it" in sentence(whole(200, 194))
    assert sentence(whole(200, 194, None)).endswith("what it promised is not known.")


def decide(account: Account, number: int, category: str, run: str = "run-1", *, audit: bool = True) -> None:
    Decisions(account.dynamodb, "decisions", run).decide(
        Asked(number, "brakes", 1, audit), Answer(category, f"{number}"), Person("ana", "window")
    )


def test_the_command_tells_of_the_audits_of_all_runs(account: Account) -> None:
    card = {"acceptance": {"target_precision": 0.98}}
    account.s3.put_object(Bucket="artifacts", Key="runs/x/card.json", Body=json.dumps(card).encode())
    add_model(account, 0.9, card="s3://artifacts/runs/x/card.json")
    decide(account, 1, "brakes")
    decide(account, 2, "engine", "run-2")
    decide(account, 3, "engine", audit=False)
    said = CliRunner().invoke(app, ["audit", "--json"])
    assert said.exit_code == 0, said.output
    whole_of_it, week = json.loads(said.output)
    assert (whole_of_it["version"], whole_of_it["rows"], whole_of_it["right"]) == (1, 2, 1)
    assert (whole_of_it["target"], whole_of_it["verdict"]) == (0.98, "may hold")
    assert week["week"].startswith("20")
    shown = CliRunner().invoke(app, ["audit"]).output
    assert "Of 2 rows that version 1 had accepted and people looked at, 50.0% are right" in shown


def test_a_target_that_was_set_later_is_what_is_promised(account: Account) -> None:
    add_model(account, 0.9, target_precision="0.9", target_of="1")
    decide(account, 1, "brakes")
    found = json.loads(CliRunner().invoke(app, ["audit", "--json"]).output)
    assert found[0]["target"] == 0.9


def test_a_model_without_a_card_promises_nothing_that_is_known(account: Account) -> None:
    add_model(account, 0.9, card="s3://artifacts/runs/gone/card.json")
    decide(account, 1, "brakes")
    found = json.loads(CliRunner().invoke(app, ["audit", "--json"]).output)
    assert (found[0]["target"], found[0]["verdict"]) == (None, "no target known")


def test_without_audits_the_command_says_where_they_come_from(account: Account) -> None:
    said = CliRunner().invoke(app, ["audit"])
    assert said.exit_code != 0
    assert "Nobody has decided an accepted row yet" in said.output


def test_the_status_says_that_the_live_models_promise_is_broken(
    account: Account, machine: PlayedStepFunctions
) -> None:
    machine.add("predict-claims-1", "predicted")
    card = {"acceptance": {"target_precision": 0.95}}
    account.s3.put_object(Bucket="artifacts", Key="card.json", Body=json.dumps(card).encode())
    add_model(account, 0.95, card="s3://artifacts/card.json")
    made = Decisions(account.dynamodb, "decisions", "predict-x")
    for number in range(40):
        answer = Answer("Brakes" if number % 2 else "Engine", f"t{number}")
        made.decide(Asked(number, "Brakes", 1, audit=True), answer, Person("ana", "window-1"))
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 0, result.output
    assert "The promise is broken" in result.output
    account.dynamodb.delete_table(TableName="decisions")
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 0, result.output
    assert "The promise is broken" not in result.output
    said = " ".join(result.output.split())
    assert "Whether the live model keeps its promise could not be checked: AWS refused Query" in said


def test_the_command_speaks_of_the_live_version_first(account: Account) -> None:
    for target in ("0.9", "0.95", "0.98"):
        add_model(account, 0.9, target_precision=target, target_of="1")
    made = Decisions(account.dynamodb, "decisions", "run-1")
    for version in (1, 2):
        asked = Asked(version, "brakes", version, audit=True)
        made.decide(asked, Answer("brakes", f"token-{version}"), Person("ana", "window"))
    said = CliRunner().invoke(app, ["audit"]).output
    assert "that version 2 had accepted" in said
    assert "Of version 3, the live one, nobody has looked at any yet." in " ".join(said.split())
    for version in (3, 2):
        CliRunner().invoke(app, ["models", "reject", str(version)])
    said = CliRunner().invoke(app, ["audit"]).output
    assert "that version 1 had accepted" in said
    assert "nobody has looked" not in said
