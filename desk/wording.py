"""Sentences as the pages say them: what one types at a command line becomes what one presses here.

The sentences of Claimflow name a command as `claimflow …`, in backticks, where a noun may stand.
"""

import re

from workflow.errors import SLOW_DOWN

# What does on the pages what the command does.
PRESSED = {
    "train": "a labelled file that is dropped on the page Files",
    "predict": "a drop on the page Files",
    "review": "the link Review on the page Files",
    "final": "the button Finish on its page",
    "runs": "the page Files",
    "status": "its page",
    "results": "its page",
    "redrive": "the button Go on from the step that failed, on its page",
    "retrain": "the button Train again on the page Models",
    "models approve": "the button Approve on the page Models",
    "models reject": "the button Roll back on the page Models",
    "models threshold": "the button Set this target on the page Models",
}
OTHERS = "whoever looks after Claimflow"  # do all that has no button
TOO_MANY = "Too many people ask at once: wait a minute, then load the page again."

_VALUE = r"(?:'[^']*'|\S+)"
_GLOBAL = rf"(?: --local| --(?:stack|region|profile) {_VALUE})*"
_VERBS = "|".join(sorted(PRESSED, key=len, reverse=True))
_PRESSED = re.compile(rf"`claimflow{_GLOBAL} ({_VERBS})(?![\w-])((?: (?!--)[^\s`]+)*)`")
_TYPED = re.compile(r"`(?:claimflow|make|sam|aws|git|podman|docker)\b[^`]*`")
_OPTION = re.compile(r"(?<!\S)--[a-z]")
_ADDRESS = re.compile(r"s3://\S*?([^\s/]+?)(?=[,;:.]?(?:\s|$))")


def for_page(sentence: str) -> str:
    """Return a sentence without a command, an option of one, or the address of a file.

    >>> for_page("No model is live: `claimflow --local models approve 3` makes one live.")
    'No model is live: the button Approve on the page Models makes one live.'
    """
    said = _PRESSED.sub(lambda found: PRESSED[found[1]], sentence)
    said = _ADDRESS.sub(r"\1", _TYPED.sub(OTHERS, said))
    return f"{said.split(': ')[0].rstrip('.')}: ask {OTHERS}." if _OPTION.search(said) else said


def of_aws(told: str, code: str) -> str:
    """Return what a page says where AWS did not do what it should, which is told elsewhere in full."""
    if told == SLOW_DOWN:
        return TOO_MANY
    named = f" ({code})" if code else ""
    return f"The desk did not get what it asked for{named}: the window where it was started says what to do."
