"""Who gets in: once for each token, only at the desk's address, and only from its own pages."""

import pytest
from starlette.testclient import TestClient

from desk.guard import HEADERS, MOST_SESSIONS, Guard
from tests.unit.desk.conftest import ADDRESS, HOST


def test_a_token_lets_one_browser_in(stranger: TestClient, tokens: list[str]) -> None:
    assert stranger.get("/").status_code == 403
    entered = stranger.get(f"/?token={tokens[0]}")
    assert entered.status_code == 200
    assert tokens[0] not in entered.text
    assert stranger.get("/").status_code == 200


def test_a_token_that_was_used_lets_nobody_in_and_the_next_one_is_told(
    guarded: Guard, stranger: TestClient, tokens: list[str]
) -> None:
    stranger.get(f"/?token={tokens[0]}")
    other = TestClient(guarded, ADDRESS)
    refused = other.get(f"/?token={tokens[0]}")
    assert refused.status_code == 403
    assert "open the address that stands last" in refused.text
    assert other.get("/").status_code == 403
    other.get(f"/?token={tokens[1]}")
    assert other.get("/").status_code == 200
    assert stranger.get("/").status_code == 200


def test_a_browser_that_is_in_opens_an_old_address_again_and_takes_no_new_token(
    stranger: TestClient, tokens: list[str]
) -> None:
    stranger.get(f"/?token={tokens[0]}")
    assert stranger.get(f"/?token={tokens[0]}").status_code == 200
    assert stranger.get(f"/?token={tokens[1]}").status_code == 200
    assert len(tokens) == 2


def test_who_is_not_let_in_is_told_the_way_on(stranger: TestClient) -> None:
    page = stranger.get("/runs/predict-claims-1")
    assert page.status_code == 403
    assert '<a href="/">This browser was in before' in page.text
    assert stranger.get("/api/runs").text.startswith("This address has been used already")
    assert stranger.get("/static/desk.css").status_code == 200


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(
    stranger: TestClient, tokens: list[str]
) -> None:
    given = stranger.get(f"/?token={tokens[0]}").headers["set-cookie"].lower()
    assert "httponly" in given
    assert "samesite=strict" in given
    assert given.startswith("claimflow_desk_8642=")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8642", "127.0.0.1", "127.0.0.1:80", ""])
def test_a_name_that_another_site_points_at_this_machine_is_refused(browser: TestClient, host: str) -> None:
    assert browser.get("/", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", f"https://{HOST}"])
def test_what_another_site_posts_is_refused(browser: TestClient, origin: str) -> None:
    sent = browser.post("/api/models/target", json={"target": 0.9}, headers={"origin": origin})
    assert sent.status_code == 403


def test_a_post_that_does_not_say_where_it_comes_from_is_refused(guarded: Guard, tokens: list[str]) -> None:
    client = TestClient(guarded, ADDRESS)
    client.get(f"/?token={tokens[-1]}")
    assert client.post("/api/models/target", json={"target": 0.9}).status_code == 403


@pytest.mark.parametrize("path", ["/", "/nothing", "/static/desk.css", "/runs/none", "/api/runs"])
def test_every_answer_has_the_headers_that_keep_a_page_in(browser: TestClient, path: str) -> None:
    given = browser.get(path).headers
    assert {name: given[name] for name in HEADERS} == HEADERS
    assert "unsafe" not in HEADERS["content-security-policy"]


@pytest.mark.parametrize(
    "cookie", ["claimflow_desk_8642=", "claimflow_desk_8642=x", "=;;", "a\x7f=b", "\xff=1"]
)
def test_another_cookie_lets_nobody_in(stranger: TestClient, cookie: str) -> None:
    assert stranger.get("/api/runs", headers={"cookie": cookie.encode("latin-1")}).status_code == 403


def test_the_sessions_of_a_desk_are_bounded(guarded: Guard, tokens: list[str]) -> None:
    first = TestClient(guarded, ADDRESS)
    first.get(f"/?token={tokens[-1]}")
    for _ in range(MOST_SESSIONS):
        TestClient(guarded, ADDRESS).get(f"/?token={tokens[-1]}")
    assert first.get("/").status_code == 403
