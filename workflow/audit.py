"""What people found of accepted rows, by model version and week."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError

from contract.audit import ALL_WEEKS, Audited, sentence
from workflow import models
from workflow.account import Account
from workflow.decisions import Decision, audits_of, every_audit
from workflow.errors import CommandError, told
from workflow.models import Model
from workflow.stack import Stack


def audited(decisions: Iterable[Decision], targets: Mapping[int, float | None]) -> list[Audited]:
    """Return what people found of each version, the newest first, as a whole and then by week.

    Only audits count, each with its blind answer, in the week of its first decision. `targets` has what each
    version promises, as far as it is known.
    """
    found: dict[tuple[int, str], list[bool]] = defaultdict(list)
    for each in decisions:
        if each.audit and each.blind is not None:
            for week in (ALL_WEEKS, _week(each.changes[0].at)):
                found[each.model, week].append(each.blind == each.said)
    ordered = sorted(found, key=lambda key: (-key[0], key[1] != ALL_WEEKS, key[1]))
    return [
        Audited(version, week, len(right), sum(right), targets.get(version))
        for version, week in ordered
        for right in [found[version, week]]
    ]


def of_stack(account: Account, stack: Stack, versions: Iterable[Model]) -> list[Audited]:
    """Return what people found of all audits, beside what each of the versions promises."""
    decisions = list(every_audit(account.dynamodb, stack.decisions))
    seen = {each.model for each in decisions}
    promises = {each.version: models.promise(account, each) for each in versions if each.version in seen}
    return audited(decisions, promises)


def headline(found: Sequence[Audited], live: Model | None) -> Audited | None:
    """Return what is said first: the live version as a whole, or the newest one where it has no audits."""
    whole = [each for each in found if each.week == ALL_WEEKS]
    return next((each for each in whole if live and each.version == live.version), next(iter(whole), None))


def in_words(shown: Audited, live: Model | None) -> str:
    """Return what a headline says, and that it is not of the live version where it is not."""
    if live is None or live.version == shown.version:
        return sentence(shown)
    return f"{sentence(shown)} Of version {live.version}, the live one, nobody has looked at any yet."


def alarm_of_live(account: Account, stack: Stack) -> str:
    """Return in words that the live model's promise is broken, or that nobody can tell; else an empty text.

    It is an extra: where no model is live, nothing is said, and no error of AWS is raised.
    """
    try:
        model = models.read_live(account, stack)
        decisions = audits_of(account.dynamodb, stack.decisions, model.version)
        found = audited(decisions, {model.version: models.promise(account, model)})
    except CommandError:
        return ""
    except (BotoCoreError, ClientError) as error:
        why = told(error, account.deploy_command, account.local)
        return f"Whether the live model keeps its promise could not be checked: {why}"
    return sentence(found[0]) if found and found[0].broken else ""


def _week(at: str) -> str:
    year, week, _ = datetime.fromisoformat(at).isocalendar()
    return f"{year}-W{week:02d}"
