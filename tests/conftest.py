"""What holds for every test.

None sees the AWS settings of the shell that starts it, a real account's or the local AWS's, but for the tests
marked `aws` when `make aws-test` asks for them, and then no others run.
None fails because the machine is busy.
"""

import os

import pytest
from hypothesis import settings

ON_AWS = bool(os.environ.get("CLAIMFLOW_AWS_TEST"))
if not ON_AWS:
    for name in [name for name in os.environ if name.startswith(("AWS_", "CLAIMFLOW_LOCAL_"))]:
        del os.environ[name]

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if ON_AWS:
        items[:] = [item for item in items if item.get_closest_marker("aws")]


@pytest.fixture
def reads(request: pytest.FixtureRequest) -> str:
    """Return what the row of docs/reliability.md says that people read: the test looks for it."""
    said: str = request.node.get_closest_marker("fault").kwargs["reads"]
    return said


# Here, as a session has one of each for all folders. They need what is imported after the line above.
from tests.browser import chromium  # noqa: E402
from tests.unit.functions import enforcement  # before any handler # noqa: E402, F401
from tests.workflow.fixtures import live, stack, trained  # noqa: E402

__all__ = ["chromium", "live", "stack", "trained"]
