"""The desk in a fake account, asked without a browser."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from desk.app import make_app
from desk.desk import Desk
from desk.guard import Guard
from tests.unit.workflow.conftest import account, cloudformation, machine, settings
from workflow import stack
from workflow.account import Account

__all__ = ["account", "cloudformation", "machine", "settings"]

HOST = "127.0.0.1:8642"
ADDRESS = f"http://{HOST}"


@pytest.fixture
def tokens() -> list[str]:
    """Return the tokens that the guard made, the newest last."""
    return []


@pytest.fixture
def guarded(account: Account, tokens: list[str]) -> Guard:
    desk = Desk(account, stack.read_stack(account), "ana")
    return Guard(make_app(desk), {HOST, "localhost:8642"}, tokens.append)


@pytest.fixture
def stranger(guarded: Guard) -> Iterator[TestClient]:
    """Yield a browser that was not let in."""
    with TestClient(guarded, ADDRESS, headers={"origin": ADDRESS}, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def browser(stranger: TestClient, tokens: list[str]) -> TestClient:
    """Return a browser that was let in."""
    stranger.get(f"/?token={tokens[-1]}")
    return stranger
