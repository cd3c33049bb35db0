"""Gets a model: from the registry of a stack, or from a file."""

import os
import re
from pathlib import Path

from claimflow.errors import ClaimflowError, one_sentence
from claimflow.model import Model
from model import artifact
from workflow import local_model, models
from workflow import stack as stacks
from workflow.account import DEFAULT_STACK, Account
from workflow.models import LIVE
from workflow.models import Model as Registered
from workflow.stack import Stack

_VERSION = re.compile(r"models/(\d{1,9})")


def load(
    source: str | Path = LIVE,
    *,
    stack: str | None = None,
    local: bool = False,
    region: str | None = None,
    profile: str | None = None,
) -> Model:
    """Return a model: the live one, another version of the registry, or one in a file.

    >>> model = load("model.tar.gz")
    >>> model.version is None
    True

    A version comes with the target that it has now. Its files are fetched once, checked, and kept in the
    user's cache folder, where one version of a stack lies: that which was asked for last.

    Args:
        source: `live`; `models/7`, as `claimflow models` counts; or the path of a model.tar.gz, or of a
            folder that holds what was in one (for a folder of such a name, write `./live` or `./models/7`)
        stack: the name of the stack; None: what CLAIMFLOW_STACK names, or `claimflow`
        local: use the local AWS on this machine
        region: the AWS region; None: as the AWS SDK finds it
        profile: the AWS profile with the credentials; None: as the AWS SDK finds it

    Raises:
        ClaimflowError: there is no such model, or it is damaged or of another version

    """
    version = _VERSION.fullmatch(source) if isinstance(source, str) else None
    if source != LIVE and version is None:
        return _read(Path(source))
    name = stack or os.environ.get("CLAIMFLOW_STACK") or DEFAULT_STACK
    account = Account(stack=name, local=local, region=region, profile=profile)
    with one_sentence(account):
        return _fetch(account, int(version[1]) if version else None)


def _fetch(account: Account, version: int | None) -> Model:
    stack = stacks.read_stack(account)
    if version is None:
        registered = models.read_live(account, stack)
    else:
        registered = models.find(models.list_models(account, stack), version)
    return load_version(account, stack, registered)


def load_version(account: Account, stack: Stack, registered: Registered) -> Model:
    """Return a version of the registry. Raises CommandError as `local_model.load` does."""
    loaded = local_model.load(account, stack, registered)
    card = models.card(account, registered)
    columns = (card["text_column"], card["label_column"]) if card else (None, None)
    return Model(loaded.classifier, loaded.evaluation, registered.version, *columns, loaded.learned)


def _read(path: Path) -> Model:
    if not path.exists():
        raise ClaimflowError(
            f"There is no model {str(path)!r}: give the path of a model.tar.gz, `live`, or a version as "
            "`models/7`."
        )
    with one_sentence(), artifact.unpacked(path) as folder:
        classifier = artifact.load(folder)
        config = classifier.config
        columns = config.text_column, config.label_column
        return Model(classifier, artifact.evaluation(folder), None, *columns, artifact.learned(folder))
