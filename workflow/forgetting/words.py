"""What `claimflow forget` says."""

from collections.abc import Iterable, Iterator

from contract.text import count
from workflow import display
from workflow.account import Account
from workflow.forgetting.claims import Claim
from workflow.forgetting.erasure import Effect, Erasure
from workflow.models import LIVE, Model

NOT_SEARCHED = (
    "Not searched, as it cannot be: the weights and words of a model, backups of the decisions (35 days), "
    "the histories of runs (90 days), and what people have downloaded: results, final files, models."
)


def say(account: Account, claim: Claim, made: Erasure, *, done: bool) -> None:
    """Print what was found, and what was done or would be."""
    which = f"{claim.column} {', '.join(sorted(claim.values))}"
    if not made.effects:
        display.say(f"{which}: nothing was found, in {count(made.searched, 'version')} of files.", "green")
    else:
        _say_found(account, which, made, done=done)
    if made.without:
        display.say(f"{count(made.without, 'upload')} without a column '{claim.column}' left as they are.")
    for uri, why in made.unread.items():
        display.say(f"Left as it is: {uri}: {why}.", "yellow")
    display.say(NOT_SEARCHED, "dim")
    if made.effects and not done:
        display.say("Nothing was changed yet: the same command with --yes does it.", "bold")


def models_to_retrain(account: Account, learned: Iterable[tuple[Model, str]]) -> Iterator[str]:
    """Yield a sentence for each version of the model that learned from the rows."""
    for model, state in learned:
        said = f"Model version {model.version} ({state}) has learned from a file with such a row"
        if state == LIVE:
            yield f"{said}: train it anew without, with `{account.command} retrain`."
        else:
            yield f"{said}: keep it out of use, with `{account.command} models reject {model.version}`."


def _say_found(account: Account, which: str, made: Erasure, *, done: bool) -> None:
    versions = sum(effect.versions for effect in made.effects)
    display.say(
        f"{which}: {count(made.rows, 'row')} in {count(len(made.effects), 'file')}, in "
        f"{count(versions, 'version')}; {count(made.decisions, 'decision')}.",
        "bold",
    )
    display.pairs([(effect.uri, _effect(effect, done=done)) for effect in made.effects])
    for sentence in models_to_retrain(account, made.learned):
        display.say(sentence, "yellow")
    if done:
        display.say("Deleted.", "green")


def _effect(effect: Effect, *, done: bool) -> str:
    rows = f"{count(effect.rows, 'row')}, " if effect.rows else ""
    will = "" if done else "to be "
    became = f"{will}rewritten" if effect.rewritten else f"{will}deleted"
    now = f", now {effect.now}" if effect.now else ""
    return f"{rows}{count(effect.versions, 'version')}: {became}{now}"
