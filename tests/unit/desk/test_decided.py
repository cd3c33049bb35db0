"""The page of decided rows: what it shows, in which order, and that what it tells is kept."""

import re

import pytest
from starlette.testclient import TestClient

from desk import queues as pages
from tests.unit.desk.test_review import ANA, HTML, decide, decisions, post
from tests.unit.workflow.queues import RUN, put, reader, row
from workflow import decisions as store
from workflow.account import Account
from workflow.decisions import Answer, Person

PAGE = f"/runs/{RUN}/decided"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time at which the next decision is made; each is made a minute after the one before."""
    at = [1_800_000_000.0]

    def tick() -> float:
        at[0] += 60
        return at[0]

    monkeypatch.setattr(store.time, "time", tick)
    return at


def shown(page: str) -> list[int]:
    """Return the numbers of the rows of a page, in its order."""
    return [int(each) for each in re.findall(r'data-number="(\d+)"', page)]


def decide_as_ben(account: Account, number: int, category: str) -> None:
    made = reader(account)
    found = made.find(number)
    assert found is not None
    made.decide(found, Answer(category, f"ben-{number}"), Person("ben", "window-9"))


def test_the_row_that_was_decided_last_comes_first(browser: TestClient, account: Account) -> None:
    put(account, [row(n) for n in range(4)])
    for number in (2, 0, 1):
        decide(browser, number, "Wheels")
    assert shown(browser.get(PAGE).text) == [1, 0, 2]


def test_a_row_is_shown_with_its_decision_what_the_model_had_said_and_its_history(
    browser: TestClient, account: Account
) -> None:
    put(account, [row(0)])
    decide(browser, 0, "Wheels", note="by the picture")
    decide(browser, 0, None, revision=1)
    decide(browser, 0, "Engine", revision=2)
    page = browser.get(PAGE).text
    for part in ("Line 2", "the text of 0", "(the model: Brakes, 43% sure)", "3 decisions", "taken back"):
        assert part in page
    assert "note: by the picture" in page
    assert 'data-revision="3"' in page


def test_rows_of_a_person_of_a_category_or_with_a_text_are_found(
    browser: TestClient, account: Account
) -> None:
    put(account, [row(n) for n in range(12)])
    for number in range(3):
        decide(browser, number, ("Wheels", "Engine")[number % 2])
    decide_as_ben(account, 11, "Engine")
    assert shown(browser.get(PAGE, params={"by": "ben"}).text) == [11]
    assert shown(browser.get(PAGE, params={"decided": "Engine"}).text) == [11, 1]
    assert shown(browser.get(PAGE, params={"text": "OF 1", "by": "ana"}).text) == [1]
    assert "No decided row is like that." in browser.get(PAGE, params={"by": "cem"}).text


def test_rows_that_were_decided_together_are_found_and_can_be_taken_back_at_once(
    browser: TestClient, account: Account
) -> None:
    put(account, [row(n) for n in range(4)])
    decide(browser, 3, "Wheels")
    post(browser, "decide-together", window=ANA, numbers=[0, 2], category="Wheels", token="token-12")
    page = browser.get(PAGE, params={"batch": "token-12"}).text
    assert shown(page) == [2, 0]
    assert 'data-numbers="2 0"' in page
    assert "together with others" in page


def test_the_page_goes_on_where_it_ends(
    browser: TestClient, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "SHOWN", 2)
    put(account, [row(n) for n in range(3)])
    for number in range(3):
        decide(browser, number, "Wheels")
    first = browser.get(PAGE, params={"by": "ana"}).text
    assert shown(first) == [2, 1]
    assert f"{PAGE}?by=ana&amp;from=2" in first
    assert shown(browser.get(PAGE, params={"by": "ana", "from": "2"}).text) == [0]


def test_that_the_page_tells_how_sure_the_model_was_is_kept_for_an_audit(
    browser: TestClient, account: Account
) -> None:
    put(account, [row(0, audit=True), row(1)])
    decide(browser, 0, "Wheels")
    decide(browser, 1, "Wheels")
    browser.get(PAGE)
    decide(browser, 0, "Brakes", revision=1)
    made = decisions(account)
    assert (made[0].category, made[0].blind, made[1].told) == ("Brakes", "Wheels", None)
    assert "before it was told how sure the model was: Wheels." in browser.get(PAGE).text


def test_of_a_row_that_is_open_again_it_is_not_told_how_sure_the_model_was(
    browser: TestClient, account: Account
) -> None:
    put(account, [row(0, audit=True)])
    decide(browser, 0, "Wheels")
    decide(browser, 0, None, revision=1)
    page = browser.get(PAGE).text
    assert "open again" in page
    assert "43%" not in page
    assert decisions(account)[0].told is None


def test_names_notes_and_texts_are_never_markup(browser: TestClient, account: Account) -> None:
    evil = row(0)
    evil["cells"] = [HTML, HTML, HTML]
    put(account, [evil])
    decide(browser, 0, "Wheels", note=HTML)
    page = browser.get(PAGE, params={"by": "", "text": "<script"}).text
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 3


def test_before_anything_is_decided_the_page_says_so(browser: TestClient, account: Account) -> None:
    put(account, [row(0)])
    assert "Nothing is decided yet." in browser.get(PAGE).text
