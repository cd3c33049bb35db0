"""The desk, served on the loopback address as `claimflow desk` serves it, and a browser."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page

from desk import server
from desk.app import make_app
from desk.desk import Desk
from desk.guard import Guard
from tests.unit.workflow.conftest import account, cloudformation, machine, settings
from tests.workflow.stack import free_port
from workflow import stack
from workflow.account import Account

__all__ = ["account", "cloudformation", "machine", "settings"]

SCREENSHOTS = os.environ.get("CLAIMFLOW_SCREENSHOTS")
ROOT = Path(__file__).resolve().parents[2]


class Served:
    """A desk that is served, and can be killed and started again at the same address."""

    def __init__(self, account: Account) -> None:
        self.account, self.port = account, free_port()
        self.tokens: list[str] = []
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        desk = Desk(self.account, stack.read_stack(self.account), "ana")
        guard = Guard(make_app(desk), {f"127.0.0.1:{self.port}"}, self.tokens.append)
        self._server = uvicorn.Server(server._config(guard))
        self._socket = server._bound(self.port)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()
        self._socket.close()

    def enter(self, context: BrowserContext) -> Page:
        """Open the desk in a browser that has not been there, and return its first page."""
        page = context.new_page()
        page.goto(f"{self.address}/?token={self.tokens[-1]}")
        page.wait_for_url(f"{self.address}/")
        return page


@pytest.fixture
def served(account: Account) -> Iterator[Served]:
    made = Served(account)
    yield made
    made.stop()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """Yield a browser of its own: no cookie, no storage; no page of it may fail in a script."""
    made = chromium.new_context(viewport={"width": 1200, "height": 800}, accept_downloads=True)
    failures: list[str] = []
    made.on("weberror", lambda error: failures.append(str(error.error)))
    made.on("dialog", lambda dialog: failures.append(dialog.message))
    yield made
    made.close()
    assert failures == []


@pytest.fixture
def page(served: Served, context: BrowserContext) -> Page:
    """Return the first page of the desk."""
    return served.enter(context)


def picture(page: Page, name: str) -> None:
    """Keep a picture of a page for the documentation, where one is wanted."""
    if SCREENSHOTS:
        page.screenshot(path=ROOT / SCREENSHOTS / f"{name}.png")
