"""Lists of open rows: what they show, and what is decided and taken back together."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from desk import queues as pages
from tests.unit.desk.test_review import ANA, BEN, decide, decisions, next_row, post
from tests.unit.workflow.queues import RUN, put, reader, row
from workflow.account import Account

TOKEN, BACK = "token-12", "token-99"


def together(browser: TestClient, *numbers: int, category: str | None = "Wheels") -> dict[str, Any]:
    status, answer = post(
        browser, "decide-together", window=ANA, numbers=list(numbers), category=category, token=TOKEN
    )
    assert status == 200, answer
    return answer


def take_back(browser: TestClient, *numbers: int) -> dict[str, Any]:
    status, answer = post(browser, "take-back", window=ANA, numbers=list(numbers), batch=TOKEN, token=BACK)
    assert status == 200, answer
    return answer


def test_a_list_shows_open_rows_with_a_text(browser: TestClient, account: Account) -> None:
    put(account, [row(n) for n in range(12)])
    decide(browser, 1, "Wheels")
    found = browser.get(f"/runs/{RUN}/list", params={"text": "TEXT OF 1"}).text
    assert "the text of 10" in found
    assert "the text of 11" in found
    assert ">the text of 1<" not in found
    assert "the text of 2" not in found


def test_similar_rows_come_with_the_most_similar_first(browser: TestClient, account: Account) -> None:
    rows = [row(n) for n in range(4)]
    texts = (
        "the drum rattles and squeaks",
        "no picture",
        "the drum squeaks",
        "rattles and squeaks: the drum",
    )
    for each, text in zip(rows, texts, strict=True):
        each["cells"][1] = text
    put(account, rows)
    page = browser.get(f"/runs/{RUN}/list", params={"like": "0"}).text
    assert "no picture" not in page
    assert 0 < page.index(texts[3]) < page.index(texts[2])


def test_rows_are_decided_together_and_those_that_somebody_has_are_named(
    browser: TestClient, account: Account
) -> None:
    put(account, [row(n) for n in range(4)])
    next_row(browser, BEN)  # holds row 0
    status, answer = post(
        browser, "decide-together", window=ANA, numbers=[0, 1, 2], category="Wheels", token="token-12"
    )
    assert status == 200
    assert answer["decided"] == [1, 2]
    assert [each["line"] for each in answer["refused"]] == [2]
    assert answer["left"] == 2
    assert {number: each.category for number, each in decisions(account).items()} == {
        1: "Wheels",
        2: "Wheels",
    }


def test_without_a_category_each_row_gets_its_own_prediction(browser: TestClient, account: Account) -> None:
    put(account, [row(0), row(1, prediction="Engine")])
    post(browser, "decide-together", window=ANA, numbers=[0, 1], category=None, token="token-12")
    assert [each.category for each in decisions(account).values()] == ["Brakes", "Engine"]


def test_what_was_decided_together_is_taken_back_together(browser: TestClient, account: Account) -> None:
    put(account, [row(n) for n in range(4)])
    together(browser, 0, 1, 2)
    for _ in range(2):  # sent again, as the answer was lost
        answer = take_back(browser, 0, 1, 2, 3)
        assert (answer["opened"][:3], answer["refused"], answer["left"]) == ([0, 1, 2], [], 4)
    made = decisions(account)
    assert [each.category for each in made.values()] == [None] * 3
    assert {each.revision for each in made.values()} == {2}


def test_rows_that_were_taken_back_can_be_decided_together_again(
    browser: TestClient, account: Account
) -> None:
    put(account, [row(n) for n in range(3)])
    decide(browser, 0, "Wheels")
    decide(browser, 0, None, revision=1)
    assert together(browser, 0, 1)["decided"] == [0, 1]
    assert decisions(account)[0].revision == 3


def test_a_row_of_a_list_that_was_changed_since_is_named_and_stays(
    browser: TestClient, account: Account
) -> None:
    put(account, [row(n) for n in range(3)])
    together(browser, 0, 1)
    decide(browser, 1, "Engine", revision=1)
    answer = take_back(browser, 0, 1)
    assert answer["opened"] == [0]
    assert answer["refused"] == [{"line": 3, "why": "ana has decided this row meanwhile: Engine."}]
    assert decisions(account)[1].category == "Engine"


def test_a_list_that_is_sent_again_is_decided_once(browser: TestClient, account: Account) -> None:
    put(account, [row(n) for n in range(3)])
    assert together(browser, 0, 1) == together(browser, 0, 1)
    assert {each.revision for each in decisions(account).values()} == {1}


def test_audits_and_as_many_other_rows_are_never_decided_together(
    browser: TestClient, account: Account
) -> None:
    rows = [row(n, audit=n % 10 == 0) for n in range(300)]
    put(account, rows)
    made = reader(account)
    alone = {each["number"] for each in rows if made.is_read_alone(each)}
    assert set(range(0, 300, 10)) < alone
    assert 45 <= len(alone) <= 75
    answer = together(browser, *range(300))
    assert {each["line"] - 2 for each in answer["refused"]} == alone
    assert answer["refused"][0]["why"] == "This row is to be read by itself."
    assert not any(each.audit for each in decisions(account).values())


def test_a_list_lets_rows_be_ticked_that_are_not_to_be_read_alone(
    browser: TestClient, account: Account
) -> None:
    put(account, [row(n, audit=n == 3) for n in range(8)])
    listed = browser.get(f"/runs/{RUN}/list").text
    made = reader(account)
    for number in range(8):
        found = made.find(number)
        assert found is not None
        assert (f'value="{number}"' not in listed) == made.is_read_alone(found)
        assert (f"review?row={number}" in listed) == made.is_read_alone(found)


def test_without_audits_every_row_can_be_decided_with_others(account: Account) -> None:
    put(account, [row(n) for n in range(50)])
    assert not any(map(reader(account).is_read_alone, [row(n) for n in range(50)]))


def test_a_list_goes_on_where_its_page_ends(
    browser: TestClient, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "SHOWN", 3)
    put(account, [row(n) for n in range(7)])
    decide(browser, 1, "Wheels")
    seen = []
    address = f"/runs/{RUN}/list?text=text"
    while address:
        page = browser.get(address).text
        seen.append([n for n in range(7) if f"the text of {n}" in page])
        further = page.partition('rel="next" href="')[2]
        address = further.partition('"')[0].replace("&amp;", "&")
    assert seen == [[0, 2, 3], [4, 5, 6]]
    assert "From the beginning" in page


def test_a_list_says_where_its_search_stopped_and_goes_on_from_there(
    browser: TestClient, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "SEARCHED", 4)
    put(account, [row(n) for n in range(6)])
    page = browser.get(f"/runs/{RUN}/list?text=of+5").text
    assert "No open row is like that among those that were looked through." in page
    assert "Look through the next ones" in page
    assert "the text of 5" in browser.get(f"/runs/{RUN}/list?text=of+5&from=4").text


def test_similar_rows_say_where_the_search_stopped(
    browser: TestClient, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.lists.SEARCHED", 4)
    put(account, [row(n) for n in range(6)])
    page = browser.get(f"/runs/{RUN}/list?like=0").text
    assert "Only 4 rows were looked through" in page
    assert "the text of 5" not in page
    assert f"/runs/{RUN}/list?like=0&amp;from=4" in page


def test_a_long_text_is_cut_and_opens(browser: TestClient, account: Account) -> None:
    long = row(0)
    long["cells"][1] = "a" * 300 + "b" * 500
    put(account, [long])
    page = browser.get(f"/runs/{RUN}/list").text
    assert f"<summary>{'a' * 300}<span" in page
    assert f"</summary>{'b' * 500}</details>" in page
