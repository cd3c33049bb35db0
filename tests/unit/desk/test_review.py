"""Reviewing in the desk: what reaches the browser, what is stored, and what is refused."""

import csv
import io
from typing import Any

import pytest
from starlette.testclient import TestClient

from contract.queue import NONE_OF_THESE
from tests.unit.workflow import queues
from tests.unit.workflow.queues import RUN, put, reader, row
from workflow.account import Account
from workflow.decisions import Answer, Decision, Decisions, Person

ANA, BEN = "window-of-ana", "window-of-ben"
HTML = '<script>alert(1)</script><img src=x onerror="alert(2)">'


def post(browser: TestClient, call: str, **sent: Any) -> tuple[int, dict[str, Any]]:
    answer = browser.post(f"/api/runs/{RUN}/{call}", json=sent)
    return answer.status_code, answer.json()


def next_row(browser: TestClient, window: str = ANA, **asked: str) -> dict[str, Any]:
    status, answer = post(browser, "next", window=window, **asked)
    assert status == 200, answer
    return answer


def decide(browser: TestClient, number: int, category: str | None, **more: Any) -> tuple[int, dict[str, Any]]:
    given = {"window": ANA, "token": f"token-{number}-{category}", "revision": 0}
    return post(browser, "decide", number=number, category=category, **{**given, **more})


def decisions(account: Account) -> dict[int, Decision]:
    return {each.number: each for each in Decisions(account.dynamodb, "decisions", RUN).all()}


def test_a_row_comes_with_its_columns_and_likeliest_categories(browser: TestClient, account: Account) -> None:
    put(account, [row(0), row(1)])
    answer = next_row(browser)
    assert answer["row"] == {
        "number": 0,
        "line": 2,
        "text": "the text of 0",
        "cells": [["id", "C-0"]],
        "given": "",
        "prediction": "Brakes",
        "candidates": ["Brakes", "Engine"],
        "words": [],
        "revision": 0,
    }
    assert (answer["left"], answer["rows"]) == (2, 2)


def test_nothing_that_reaches_the_browser_tells_an_audit_from_another_row(
    browser: TestClient, account: Account
) -> None:
    put(account, [row(0), row(1, audit=True)])
    first, second = next_row(browser)["row"], next_row(browser, BEN)["row"]
    assert first.keys() == second.keys()
    differing = {name for name in first if first[name] != second[name]}
    assert differing == {"number", "line", "text", "cells"}
    listed = browser.get(f"/runs/{RUN}/list").text
    assert "audit" not in listed
    assert "0.43" not in listed


def test_a_decision_is_stored_before_it_is_answered(browser: TestClient, account: Account) -> None:
    put(account, [row(0, audit=True), row(1)])
    status, answer = decide(browser, 0, "Wheels", note="by the picture")
    assert (status, answer["left"]) == (200, 1)
    made = decisions(account)[0]
    assert (made.category, made.audit, made.model) == ("Wheels", True, 3)
    assert (made.changes[0].by, made.changes[0].note) == ("ana", "by the picture")


def test_how_sure_the_model_was_is_told_with_the_next_decision_and_kept_for_an_audit(
    browser: TestClient, account: Account
) -> None:
    put(account, [row(0, audit=True), row(1), row(2)])
    _, first = decide(browser, 0, "Wheels")
    assert first["before"] is None
    assert "confidence" not in str(first)
    assert decisions(account)[0].told is None
    _, second = decide(browser, 1, "Brakes", before=0)
    assert second["before"] == {"number": 0, "said": "Brakes", "confidence": 0.4321}
    _, third = decide(browser, 2, "Brakes", before=1)
    assert third["before"]["number"] == 1
    assert {number: each.told for number, each in decisions(account).items()} == {0: 1, 1: None, 2: None}


def test_of_a_row_that_is_open_nothing_is_told(browser: TestClient, account: Account) -> None:
    put(account, [row(0), row(1)])
    assert decide(browser, 1, "Brakes", before=0)[1]["before"] is None
    assert decide(browser, 1, None, revision=1, before=1)[1]["before"] is None


def test_a_row_that_is_asked_for_comes_before_all_others(browser: TestClient, account: Account) -> None:
    put(account, [row(n) for n in range(3)])
    assert post(browser, "next", window=ANA, number=2)[1]["row"]["number"] == 2
    assert post(browser, "next", window=BEN, number=2)[1]["row"]["number"] == 0
    assert post(browser, "next", window="window-of-cem", number=99)[1]["row"]["number"] == 1


def test_what_a_person_decided_last_is_known_to_a_page_that_is_opened_anew(
    browser: TestClient, account: Account
) -> None:
    put(account, [row(n) for n in range(5)])
    decide(browser, 2, "Wheels")
    decide(browser, 0, "Engine")
    decide(browser, 0, None, revision=1)
    post(browser, "decide-together", window=ANA, numbers=[3], category="Wheels", token="token-12")
    elsewhere = reader(account)
    found = elsewhere.find(1)
    assert found is not None
    elsewhere.decide(found, Answer("Wheels", "token"), Person("ben", "window-9"))
    expected = [{"number": 2, "line": 4, "category": "Wheels", "revision": 1}]
    assert browser.get(f"/api/runs/{RUN}/recent").json() == expected


def test_a_row_may_belong_to_none_of_the_categories_and_the_last_page_counts_it(
    browser: TestClient, account: Account
) -> None:
    put(account, [row(0), row(1)])
    assert decide(browser, 0, NONE_OF_THESE, token="token-none")[1]["category"] == NONE_OF_THESE
    assert decisions(account)[0].category == NONE_OF_THESE
    assert "1 row belongs to none of the categories" in browser.get(f"/runs/{RUN}/final").text


def test_a_category_that_the_model_does_not_have_is_refused_with_what_to_do(
    browser: TestClient, account: Account
) -> None:
    put(account, [row(0)])
    status, answer = decide(browser, 0, "Gearbox")
    assert status == 400
    assert "or (none of these); the note can name a new one." in answer["error"]
    assert decisions(account) == {}


def test_a_decision_sent_twice_is_stored_once(browser: TestClient, account: Account) -> None:
    put(account, [row(0)])
    assert decide(browser, 0, "Wheels") == decide(browser, 0, "Wheels")
    assert decisions(account)[0].revision == 1


def test_of_two_windows_the_second_to_decide_is_told(browser: TestClient, account: Account) -> None:
    put(account, [row(0)])
    decide(browser, 0, "Wheels")
    status, answer = decide(browser, 0, "Engine", window=BEN)
    assert status == 409
    assert answer["error"] == "ana has decided this row meanwhile: Wheels."
    assert decisions(account)[0].category == "Wheels"


def test_a_decision_is_taken_back_and_the_row_comes_again_with_its_revision(
    browser: TestClient, account: Account
) -> None:
    put(account, [row(0), row(1)])
    decide(browser, 0, "Wheels")
    status, answer = decide(browser, 0, None, revision=1)
    assert (status, answer["category"], answer["left"]) == (200, None, 2)
    again = next_row(browser)["row"]
    assert (again["number"], again["revision"]) == (0, 2)
    assert decide(browser, 0, "Engine", revision=2)[0] == 200


def test_a_row_that_is_skipped_comes_when_they_are_taken_up_again(
    browser: TestClient, account: Account
) -> None:
    put(account, [row(0), row(1)])
    assert post(browser, "skip", window=ANA, number=0) == (200, {"skipped": 1})
    assert next_row(browser)["row"]["number"] == 1
    decide(browser, 1, "Brakes")
    end = next_row(browser)
    assert (end["row"], end["left"], end["skipped"]) == (None, 1, 1)
    assert post(browser, "skip", window=ANA) == (200, {"skipped": 0})
    assert next_row(browser)["row"]["number"] == 0


def test_two_windows_get_different_rows(browser: TestClient, account: Account) -> None:
    put(account, [row(0), row(1)])
    assert next_row(browser, ANA)["row"]["number"] == 0
    assert next_row(browser, BEN)["row"]["number"] == 1
    assert next_row(browser, "window-of-cem")["row"] is None


def test_rows_of_a_kind_or_a_category_are_given(browser: TestClient, account: Account) -> None:
    put(account, [row(0), row(1, prediction="Engine"), row(2, group="unlike the training texts")])
    assert next_row(browser, category="Engine")["row"]["number"] == 1
    assert next_row(browser, group="unlike the training texts")["row"]["number"] == 2


@pytest.mark.parametrize(
    ("call", "sent"),
    [
        ("next", {"window": "x"}),
        ("next", {"window": ANA, "group": "another"}),
        ("next", {"window": ANA, "category": "another"}),
        ("next", {"window": ANA, "more": 1}),
        ("next", {}),
        ("decide", {"window": ANA, "number": 0, "category": "another", "token": "token-12"}),
        ("decide", {"window": ANA, "number": -1, "category": "Wheels", "token": "token-12"}),
        ("decide", {"window": ANA, "number": "0", "category": "Wheels", "token": "token-12"}),
        ("decide", {"window": ANA, "number": 0, "category": "Wheels", "token": "<script>"}),
        (
            "decide",
            {"window": ANA, "number": 0, "category": "Wheels", "token": "token-12", "note": "x" * 2001},
        ),
        ("decide-together", {"window": ANA, "numbers": [], "category": "Wheels", "token": "token-12"}),
        ("decide-together", {"window": ANA, "numbers": [0], "category": "another", "token": "token-12"}),
    ],
)
def test_what_no_page_sends_is_refused_in_a_sentence(
    browser: TestClient, account: Account, call: str, sent: dict[str, Any]
) -> None:
    put(account, [row(0)])
    status, answer = post(browser, call, **sent)
    assert status == 400
    assert answer["error"].endswith(".")
    assert decisions(account) == {}


def test_a_row_that_is_not_in_the_queue_is_not_decided(browser: TestClient, account: Account) -> None:
    put(account, [row(0)])
    assert decide(browser, 7, "Wheels")[0] == 404
    assert decisions(account) == {}


def test_what_is_no_json_or_too_long_is_refused(browser: TestClient, account: Account) -> None:
    put(account, [row(0)])
    address = f"/api/runs/{RUN}/decide"
    assert browser.post(address, content=b"{").status_code == 400
    assert browser.post(address, content=b" " * (1 << 21)).status_code == 400


def test_a_run_without_rows_for_people_says_so(browser: TestClient) -> None:
    answer = browser.get("/runs/train-x-1/review")
    assert answer.status_code == 400
    assert "has no rows for people" in answer.text


def test_texts_and_names_of_a_file_are_never_markup(browser: TestClient, account: Account) -> None:
    evil = row(0, prediction="Engine")
    evil["cells"] = [HTML, HTML, HTML]
    put(account, [evil])
    listed = browser.get(f"/runs/{RUN}/list", params={"text": "<script"}).text
    assert "<script>alert" not in listed
    assert "&lt;script&gt;alert(1)" in listed
    searched = browser.get(f"/runs/{RUN}/list", params={"text": HTML}).text
    assert "<img src=x" not in searched
    for call in ("review", "list"):
        assert "<script>alert" not in browser.get(f"/runs/{RUN}/{call}", params={"text": HTML}).text


def test_of_few_categories_each_has_a_number_and_of_many_the_common_ones(
    browser: TestClient, account: Account
) -> None:
    put(account, [row(0)])
    answer = browser.get(f"/api/runs/{RUN}/categories").json()
    assert answer == {
        "categories": ["Brakes", "Brake fluid", "Engine", "Wheels"],
        "common": ["Brakes", "Brake fluid", "Engine", "Wheels"],
    }


def test_of_many_categories_the_most_frequent_come_first_and_no_number_is_left_over(
    browser: TestClient, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "CATEGORIES", [f"c{n:02d}" for n in range(12)])
    put(account, [row(0, prediction="c11"), row(1, prediction="c05"), row(2, prediction="c11")])
    common = browser.get(f"/api/runs/{RUN}/categories").json()["common"]
    assert common == ["c11", "c05", "c00", "c01", "c02", "c03", "c04", "c06", "c07"]


def test_what_people_elsewhere_decided_is_counted_when_the_page_is_opened(
    browser: TestClient, account: Account
) -> None:
    put(account, [row(0), row(1)])
    browser.get(f"/runs/{RUN}/review")
    elsewhere = reader(account)
    found = elsewhere.find(0)
    assert found is not None
    elsewhere.decide(found, Answer("Wheels", "token"), Person("ben", "window-9"))
    assert "1 row for people is still open" not in browser.get(f"/runs/{RUN}/review").text
    assert next_row(browser)["left"] == 1


def test_the_final_file_has_what_was_decided(browser: TestClient, account: Account) -> None:
    put(account, [row(0), row(1)])
    results = "id,text,note,prediction,needs_review\nC-0,a,,Brakes,true\nC-1,b,,Engine,false\n"
    account.s3.put_object(Bucket="results", Key=f"{RUN}/claims.results.csv", Body=results.encode())
    decide(browser, 0, "Wheels")
    assert "1 row" in browser.get(f"/runs/{RUN}/final").text
    answer = browser.get(f"/runs/{RUN}/final.csv")
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''claims.final.csv"
    final = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(each["category"], each["decided_by"]) for each in final] == [
        ("Wheels", "ana"),
        ("Engine", "model"),
    ]
