"""What people found of accepted rows, by model version and week."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError

from contract.audit import ALL_WEEKS, Audited, sentence
from workflow import models
from workflow.account import Account
from workflow.decisions import Decision, audits_of
from workflow.errors import CommandError
from workflow.stack import Stack


def audited(decisions: Iterable[Decision], targets: dict[int, float]) -> list[Audited]:
    """Return what people found of each version, the newest first, as a whole and then by week.

    Only audits count, and of these the ones that are decided. `targets` has the promise of each version.
    """
    found: dict[tuple[int, str], list[bool]] = defaultdict(list)
    for each in decisions:
        if each.audit and each.category is not None:
            for week in (ALL_WEEKS, _week(each.changes[-1].at)):
                found[each.model, week].append(each.category == each.said)
    ordered = sorted(found, key=lambda key: (-key[0], key[1] != ALL_WEEKS, key[1]))
    return [
        Audited(version, week, len(right), sum(right), targets.get(version))
        for version, week in ordered
        for right in [found[version, week]]
    ]


def alarm_of_live(account: Account, stack: Stack) -> str:
    """Return in words that the promise of the live model is broken; an empty text where it is not.

    It is an extra: where no model is live, or the user may not read the decisions, nothing is said.
    """
    try:
        model = models.read_live(account, stack)
        found = audited(
            audits_of(account.dynamodb, stack.decisions, model.version),
            {} if (target := models.promise(account, model)) is None else {model.version: target},
        )
    except (CommandError, BotoCoreError, ClientError):
        return ""
    return sentence(found) if found and found[0].broken else ""


def _week(at: str) -> str:
    year, week, _ = datetime.fromisoformat(at).isocalendar()
    return f"{year}-W{week:02d}"
