"""What a person does in the browser, and that nothing of it is lost, doubled or run."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from contract.queue import QueueRow
from tests.desk.conftest import Served, picture
from tests.unit.desk.test_models import CARD
from tests.unit.workflow import queues
from tests.unit.workflow.fakes import PlayedStepFunctions, add_model
from tests.unit.workflow.queues import RUN, put, row
from workflow import retraining
from workflow.account import Account
from workflow.decisions import Answer, Asked, Decision, Decisions, Person

REVIEW = f"/runs/{RUN}/review"
HTML = '<script>alert("run")</script><img src=x onerror="alert(1)"><b>bold</b>'
RESULTS = "id,text,note,prediction,needs_review\n"


def decisions(account: Account) -> dict[int, Decision]:
    return {each.number: each for each in Decisions(account.dynamodb, "decisions", RUN).all()}


def with_results(account: Account, rows: list[QueueRow]) -> None:
    put(account, rows)
    lines = [f"{each['cells'][0]},{each['cells'][1]},,Brakes,true\n" for each in rows]
    body = (RESULTS + "".join(lines)).encode()
    account.s3.put_object(Bucket="results", Key=f"{RUN}/claims.results.csv", Body=body)


def review(page: Page, served: Served) -> Page:
    page.goto(served.address + REVIEW)
    expect(page.locator("#desk")).to_be_visible()
    return page


def press(page: Page, key: str) -> None:
    """Press a key when the desk waits for one, and wait until it waits for the next one."""
    ready(page)
    page.keyboard.press(key)
    ready(page)


def ready(page: Page) -> None:
    expect(page.locator("#desk[aria-busy=false]")).to_be_attached()


def test_twenty_rows_are_decided_by_keyboard_alone_and_stand_in_the_final_file(
    page: Page, served: Served, account: Account, tmp_path: Path
) -> None:
    with_results(account, [row(n) for n in range(20)])
    review(page, served)
    for key in ["Enter", "1", "2", "3", "4"] * 3:
        press(page, key)
    for _ in range(4):
        page.keyboard.type("whe")
        expect(page.locator("#found [aria-selected=true]")).to_have_text("Wheels")
        press(page, "Enter")
    page.keyboard.press("n")
    page.keyboard.type("by the picture")
    page.keyboard.press("Enter")
    press(page, "Enter")
    expect(page.locator("#done-text")).to_have_text("All rows are decided.")
    made = decisions(account)
    expected = ["Brakes", "Brakes", "Engine", "Brake fluid", "Wheels"] * 3 + ["Wheels"] * 4 + ["Brakes"]
    assert [made[n].category for n in range(20)] == expected
    assert made[19].changes[0].note == "by the picture"
    page.keyboard.press("Tab")
    page.locator("#done").get_by_role("link", name="Finish").press("Enter")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the final file").press("Enter")
    download.value.save_as(tmp_path / "final.csv")
    with (tmp_path / "final.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [each["category"] for each in csv.DictReader(file)] == expected


def washing_machines(monkeypatch: pytest.MonkeyPatch) -> list[QueueRow]:
    """Return rows as a claims team knows them."""
    categories = [
        "Battery",
        "Connectivity",
        "Display",
        "Noise and vibration",
        "Overheating",
        "Transport damage",
    ]
    monkeypatch.setattr(queues, "CATEGORIES", categories)
    monkeypatch.setattr(queues, "COLUMNS", ["claim_id", "description", "product"])
    rows = [row(n, prediction=categories[n % 6]) for n in range(40)]
    for each, confidence in zip(rows, [0.61, 0.38, 0.97, 0.44, 0.29, 0.72, 0.55, 0.48] * 5, strict=True):
        each |= {"second": "Transport damage", "confidence": confidence}
    rows[6]["cells"][1] = "Bluetooth never works with two different phones."
    rows[7]["cells"] = [
        "WC-520619",
        "The drum rattles since it was delivered, and when it spins the whole machine moves.",
        "Gyro 8 Washing Machine",
    ]
    rows[7] |= {"prediction": "Noise and vibration", "decided": "rattles (+2.4), spins (+1.1), drum (+0.6)"}
    return rows


def test_a_row_shows_its_text_with_the_words_that_decided_and_its_columns(
    page: Page, served: Served, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(account, washing_machines(monkeypatch))
    review(page, served)
    for _ in range(7):
        press(page, "Enter")
    expect(page.locator("mark")).to_have_text(["drum", "rattles", "spins"])
    expect(page.locator("#cells")).to_contain_text("Gyro 8 Washing Machine")
    expect(page.locator("#choices button")).to_have_count(6)
    expect(page.locator("#choices button").first).to_have_text("1 Noise and vibration")
    picture(page, "desk_review")


def test_a_key_that_is_held_down_decides_one_row(page: Page, served: Served, account: Account) -> None:
    put(account, [row(n) for n in range(5)])
    review(page, served)
    ready(page)
    page.keyboard.down("Enter")
    expect(page.locator("#history li")).to_have_count(1)
    ready(page)
    page.keyboard.down("Enter")  # the browser tells that it repeats
    page.keyboard.up("Enter")
    press(page, "2")
    assert sorted(decisions(account)) == [0, 1]


def test_undo_skip_and_help_by_keyboard(page: Page, served: Served, account: Account) -> None:
    put(account, [row(n) for n in range(3)])
    review(page, served)
    press(page, "2")
    expect(page.locator("#history")).to_have_text("Line 2: Engine")
    press(page, "u")
    expect(page.locator("#line")).to_have_text("Line 2")
    assert decisions(account)[0].category is None
    press(page, "s")
    expect(page.locator("#line")).to_have_text("Line 3")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    press(page, "2")
    press(page, "Enter")
    expect(page.locator("#history")).to_contain_text("Line 3: Engine (the model: Brakes, 43% sure)")
    expect(page.locator("#done-text")).to_contain_text("you skipped 1")
    page.get_by_role("button", name="Look at the skipped rows again").click()
    expect(page.locator("#line")).to_have_text("Line 2")


def test_a_row_of_none_of_the_categories_is_said_by_key_by_button_and_in_a_list(
    page: Page, served: Served, account: Account, tmp_path: Path
) -> None:
    with_results(account, [row(n) for n in range(4)])
    review(page, served)
    press(page, "0")
    expect(page.locator("#history")).to_have_text("Line 2: (none of these)")
    page.get_by_role("button", name="None of these").click()
    ready(page)
    page.goto(f"{served.address}/runs/{RUN}/list")
    page.get_by_label("Line 5").check()
    page.get_by_label("The chosen rows are").fill("(none of these)")
    page.get_by_role("button", name="Decide the chosen rows").click()
    expect(page.locator("#said [role=status]")).to_have_text("1 row decided: (none of these). 1 left.")
    page.get_by_role("link", name="finish").click()
    expect(page.locator("main")).to_contain_text("3 rows belong to none of the categories")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the final file").click()
    download.value.save_as(tmp_path / "final.csv")
    with (tmp_path / "final.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [each["category"] for each in csv.DictReader(file)] == [
            "(none of these)",
            "(none of these)",
            "",
            "(none of these)",
        ]


def test_a_page_that_is_loaded_again_goes_on_where_it_was(
    page: Page, served: Served, account: Account
) -> None:
    put(account, [row(n) for n in range(3)])
    review(page, served)
    press(page, "Enter")
    page.reload()
    expect(page.locator("#line")).to_have_text("Line 3")
    expect(page.locator("#history")).to_contain_text("Line 2: Brakes")


def test_what_was_decided_in_a_tab_that_was_closed_is_taken_back_in_another(
    page: Page, served: Served, context: BrowserContext, account: Account
) -> None:
    put(account, [row(n) for n in range(4)])
    review(page, served)
    press(page, "2")
    press(page, "Enter")
    page.close()
    another = review(context.new_page(), served)
    expect(another.locator("#history li")).to_have_text(["Line 3: Brakes", "Line 2: Engine"])
    press(another, "u")
    press(another, "u")
    assert {number: each.category for number, each in decisions(account).items()} == {0: None, 1: None}
    expect(another.locator("#line")).to_have_text("Line 2")


def test_a_decided_row_is_changed_taken_back_and_decided_anew(
    page: Page, served: Served, account: Account
) -> None:
    put(account, [row(n) for n in range(3)])
    review(page, served)
    press(page, "2")
    press(page, "Enter")
    page.get_by_role("link", name="All decided rows").click()
    page.wait_for_load_state()
    expect(page.locator("#decided > li")).to_have_count(2)
    first = page.locator("#decided > li[data-number='0']")
    first.get_by_label("Change to").fill("Wheels")
    first.get_by_label("Note").fill("by the picture")
    first.get_by_role("button", name="Change").click()
    expect(page.locator("#said")).to_have_text("Line 2 is Wheels now.")
    page.reload()
    expect(first.locator(".now")).to_have_text("Wheels")
    first.locator(".history summary").click()
    expect(first.locator(".history li")).to_contain_text(["ana: Engine", "ana: Wheels; note: by the picture"])
    first.get_by_role("button", name="Take back").click()
    expect(first.locator(".now")).to_have_text("open again")
    first.get_by_role("link", name="Decide it anew").click()
    expect(page.locator("#line")).to_have_text("Line 2")
    press(page, "4")
    made = decisions(account)[0]
    assert [each.category for each in made.changes] == ["Engine", "Wheels", None, "Wheels"]


def test_decided_rows_show_what_was_decided_by_whom_and_what_the_model_had_said(
    page: Page, served: Served, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = washing_machines(monkeypatch)
    put(account, rows)
    store = Decisions(account.dynamodb, "decisions", RUN)
    for number, category, name, note in [
        (6, "Connectivity", "ben", ""),
        (7, "Noise and vibration", "ana", ""),
        (7, "Transport damage", "ben", "rattled when it was delivered: see the text"),
    ]:
        asked = Asked(number, rows[number]["prediction"], 3, audit=False)
        seen = store.one(number)
        answer = Answer(category, f"{number}-{category}", seen.revision if seen else 0, note)
        store.decide(asked, answer, Person(name, "window-9"))
    page.goto(f"{served.address}/runs/{RUN}/decided")
    first = page.locator("#decided > li").first
    first.locator(".history summary").click()
    expect(first.locator(".verdict")).to_have_text(
        "Transport damage (the model: Noise and vibration, 48% sure)"
    )
    expect(first.locator(".history li")).to_have_count(2)
    picture(page, "desk_decided")


def test_a_decided_row_that_somebody_changed_meanwhile_is_told_and_not_overwritten(
    page: Page, served: Served, account: Account
) -> None:
    put(account, [row(0)])
    review(page, served)
    press(page, "2")
    page.get_by_role("link", name="All decided rows").click()
    page.wait_for_load_state()
    store = Decisions(account.dynamodb, "decisions", RUN)
    store.decide(Asked(0, "Brakes", 3, audit=False), Answer("Wheels", "t", 1), Person("ben", "window-9"))
    page.get_by_role("button", name="Take back").click()
    expect(page.locator("#problem")).to_have_text("ben has decided this row meanwhile: Wheels.")
    assert decisions(account)[0].category == "Wheels"


def test_two_browsers_on_one_queue_never_decide_one_row_twice(
    served: Served, chromium: Browser, account: Account
) -> None:
    put(account, [row(n) for n in range(30)])
    pages = [review(served.enter(chromium.new_context()), served) for _ in range(2)]
    assert pages[0].locator("#line").inner_text() != pages[1].locator("#line").inner_text()
    for turn in range(15):
        for each in pages:
            ready(each)
        for each in pages:  # both at once
            each.keyboard.press("Enter" if turn % 2 else "2")
        for each in pages:
            expect(each.locator("#history li")).to_have_count(min(turn + 1, 10))
    for each in pages:
        expect(each.locator("#done-text")).to_have_text("All rows are decided.", timeout=20_000)
        each.context.close()
    made = decisions(account)
    assert len(made) == 30
    assert {each.revision for each in made.values()} == {1}


def test_a_decision_while_the_desk_is_dead_is_kept_and_stored_once_when_it_is_back(
    page: Page, served: Served, context: BrowserContext, account: Account
) -> None:
    put(account, [row(n) for n in range(3)])
    review(page, served)
    press(page, "Enter")
    served.stop()
    page.keyboard.press("2")
    expect(page.locator("#waiting")).to_contain_text("kept here and sent again")
    assert 1 not in decisions(account)
    served.start()
    served.enter(context)  # the new address gives a cookie, with which the page before goes on
    expect(page.locator("#history")).to_contain_text("Line 3: Engine", timeout=10_000)
    expect(page.locator("#waiting")).to_be_hidden()
    made = decisions(account)
    assert (made[1].category, made[1].revision) == ("Engine", 1)


def test_a_decision_survives_that_its_page_is_closed_while_the_desk_is_dead(
    page: Page, served: Served, context: BrowserContext, account: Account
) -> None:
    put(account, [row(n) for n in range(3)])
    review(page, served)
    ready(page)
    served.stop()
    page.keyboard.press("2")
    expect(page.locator("#waiting")).to_be_visible()
    served.start()
    served.enter(context)
    page.reload()
    expect(page.locator("#history")).to_contain_text("Line 2: Engine")
    assert decisions(account)[0].revision == 1


def test_texts_columns_and_categories_that_are_html_are_shown_and_not_run(
    page: Page, served: Served, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "CATEGORIES", ["Brakes", HTML])
    evil: dict[str, Any] = row(0) | {"cells": [HTML, f"a {HTML} word", HTML], "second": HTML}
    evil["decided"] = f"{HTML} (+2.1), word (+1.0)"
    put(account, [evil])  # type: ignore[list-item]
    review(page, served)
    expect(page.locator("#text")).to_have_text(f"a {HTML} word")
    expect(page.locator("#choices")).to_contain_text(HTML)
    expect(page.locator("mark").last).to_have_text("word")
    page.keyboard.type("/<scr")
    expect(page.locator("#found")).to_contain_text(HTML)
    page.goto(f"{served.address}/runs/{RUN}/list?text=<img")
    expect(page.locator("td.words")).to_have_text(f"a {HTML} word")
    assert page.locator("main img, main b:not(.graph b)").count() == 0


def test_a_digit_begins_a_name_where_the_categories_are_numbers(
    page: Page, served: Served, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "CATEGORIES", ["1", "12", "123", "Brakes", "Engine"])
    put(account, [row(0), row(1)])
    review(page, served)
    ready(page)
    expect(page.locator("#choices kbd")).to_have_text(["Enter"])
    page.keyboard.type("12")
    expect(page.locator("#found [aria-selected=true]")).to_have_text("12")
    press(page, "Enter")
    assert {number: each.category for number, each in decisions(account).items()} == {0: "12"}


def test_a_name_that_begins_with_the_letter_of_a_command_is_found_by_typing_it(
    page: Page, served: Served, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "CATEGORIES", ["Brakes", "Engine", "Seat", "Noise"])
    put(account, [row(0), row(1), row(2)])
    review(page, served)
    ready(page)
    page.keyboard.type("se")
    expect(page.locator("#found [aria-selected=true]")).to_have_text("Seat")
    press(page, "Enter")
    page.keyboard.press("s")
    expect(page.locator("#left")).to_contain_text("1 of them skipped by you")
    assert {number: each.category for number, each in decisions(account).items()} == {0: "Seat"}
    press(page, "u")  # no name begins with it
    expect(page.locator("#history li")).to_have_count(0)


def test_what_is_pressed_as_a_row_appears_was_meant_for_the_one_before(
    page: Page, served: Served, account: Account
) -> None:
    put(account, [row(n) for n in range(4)])
    review(page, served)
    ready(page)
    page.evaluate(
        """() => {
          const text = document.getElementById("text");
          const enter = { key: "Enter", bubbles: true };
          const key = () => document.dispatchEvent(new KeyboardEvent("keydown", enter));
          new MutationObserver(key).observe(text, { childList: true });
        }"""
    )
    press(page, "Enter")
    expect(page.locator("#line")).to_have_text("Line 3")
    assert sorted(decisions(account)) == [0]


def test_a_desk_that_does_not_answer_is_told_before_the_first_row(
    page: Page, served: Served, account: Account
) -> None:
    put(account, [row(0)])
    page.route("**/categories", lambda route: route.abort())
    page.goto(served.address + REVIEW)
    expect(page.locator("#problem")).to_have_text("The desk does not answer: load the page again.")


def test_among_1700_categories_one_is_found_by_typing(
    page: Page, served: Served, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [f"Part {n:04d} of the machine" for n in range(1_700)]
    monkeypatch.setattr(queues, "CATEGORIES", [*many, "Brakes", "Engine"])
    put(account, [row(0), row(1)])
    review(page, served)
    ready(page)
    page.keyboard.press("/")
    page.keyboard.type("1234")
    expect(page.locator("#found li")).to_have_text(["Part 1234 of the machine"])
    page.keyboard.press("Enter")
    expect(page.locator("#history")).to_contain_text("Part 1234 of the machine")


def test_a_file_that_cannot_be_used_gets_its_sentence(page: Page, tmp_path: Path) -> None:
    (tmp_path / "claims.pdf").write_bytes(b"%PDF")
    page.locator("[data-action=predict] input[type=file]").set_input_files(tmp_path / "claims.pdf")
    expect(page.locator("[data-action=predict] .progress")).to_contain_text(
        "claims.pdf is no file with rows: its name must end in .csv"
    )


def test_a_dropped_file_leads_to_the_page_of_its_run(
    page: Page, machine: PlayedStepFunctions, tmp_path: Path
) -> None:
    machine.ends_as = "predicted"
    (tmp_path / "claims.csv").write_text("text\nit leaks\n")
    page.locator("[data-action=predict] input[type=file]").set_input_files(tmp_path / "claims.csv")
    expect(page.locator(".name")).to_contain_text("predict-claims-")
    expect(page.locator(".graph")).to_contain_text("Collect")
    picture(page, "desk_run")


def test_similar_rows_are_decided_together(page: Page, served: Served, account: Account) -> None:
    rows = [row(n) for n in range(6)]
    for number, each in enumerate(rows):
        each["cells"][1] = f"the {'drum rattles' if number % 2 else 'screen is black'} {number}"
    put(account, rows)
    review(page, served)
    press(page, "s")
    page.get_by_role("link", name="similar rows").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    page.get_by_label("Choose all rows").check()
    page.get_by_label("The chosen rows are").fill("Wheels")
    page.get_by_role("button", name="Decide the chosen rows").click()
    expect(page.locator("#said [role=status]")).to_have_text("3 rows decided: Wheels. 3 left.")
    assert {number: each.category for number, each in decisions(account).items()} == dict.fromkeys(
        (1, 3, 5), "Wheels"
    )


def list_of(page: Page, served: Served) -> None:
    page.goto(f"{served.address}/runs/{RUN}/list")
    page.get_by_label("Choose all rows").check()
    page.get_by_label("The chosen rows are").fill("Wheels")


def test_a_list_is_taken_back_at_once_there_and_on_the_page_of_decided_rows(
    page: Page, served: Served, account: Account
) -> None:
    put(account, [row(n) for n in range(4)])
    list_of(page, served)
    page.get_by_label("Line 4").uncheck()
    page.get_by_role("button", name="Decide the chosen rows").click()
    expect(page.locator("tbody tr:visible")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#said [role=status]")).to_have_text("3 rows open again. 4 left.")
    expect(page.locator("tbody tr:visible")).to_have_count(4)
    assert {each.category for each in decisions(account).values()} == {None}
    page.get_by_label("Line 4").check()
    page.get_by_role("button", name="All chosen are what the model says").click()
    expect(page.locator("#said [role=status]")).to_have_text("1 row decided. 3 left.")
    list_of(page, served)
    page.get_by_role("button", name="Decide the chosen rows").click()
    page.get_by_role("link", name="look at them").click()
    page.wait_for_load_state()
    page.get_by_role("button", name="Take all 3 back").click()
    expect(page.locator("#said")).to_have_text("3 rows are open again.")
    assert [each.category for each in decisions(account).values()] == [None, None, "Brakes", None]


def test_a_list_whose_answer_is_lost_is_sent_again_and_decided_once(
    page: Page, served: Served, account: Account
) -> None:
    put(account, [row(n) for n in range(3)])
    list_of(page, served)
    lost = []

    def lose(route: Route) -> None:
        if lost:
            return route.continue_()
        lost.append(route.fetch())  # it is stored, and nobody hears of it
        return route.abort()

    page.route("**/decide-together", lose)
    page.get_by_role("button", name="Decide the chosen rows").click()
    expect(page.locator("#waiting")).to_contain_text("kept here and sent again")
    assert len(decisions(account)) == 3
    expect(page.locator("#said [role=status]")).to_have_text(
        "3 rows decided: Wheels. 0 left.", timeout=10_000
    )
    expect(page.locator("#waiting")).to_be_hidden()
    assert {each.revision for each in decisions(account).values()} == {1}


def test_a_list_that_was_sent_to_a_dead_desk_is_decided_when_the_page_is_loaded_again(
    page: Page, served: Served, context: BrowserContext, account: Account
) -> None:
    put(account, [row(n) for n in range(3)])
    list_of(page, served)
    served.stop()
    page.get_by_role("button", name="Decide the chosen rows").click()
    expect(page.locator("#waiting")).to_be_visible()
    served.start()
    served.enter(context)
    page.reload()
    expect(page.locator("#said [role=status]")).to_have_text("3 rows decided: Wheels. 0 left.")
    assert {each.category for each in decisions(account).values()} == {"Wheels"}


def test_a_run_is_stopped_only_after_a_yes(page: Page, served: Served, machine: PlayedStepFunctions) -> None:
    machine.add("predict-claims-9", "predicted")
    machine.running.add("predict-claims-9")
    page.goto(f"{served.address}/runs/predict-claims-9")
    stop = page.get_by_role("button", name="Stop")
    stop.click()
    page.get_by_role("button", name="No").click()
    expect(page.locator("#sure")).to_be_hidden()
    assert machine.stopped == []
    stop.click()
    page.get_by_role("button", name="Yes").click()
    expect(stop).to_have_count(0)
    assert machine.stopped == ["predict-claims-9"]


def test_another_target_is_set_only_after_a_yes(
    page: Page, served: Served, account: Account, machine: PlayedStepFunctions
) -> None:
    account.s3.put_object(Bucket="artifacts", Key="card.json", Body=json.dumps(CARD).encode())
    add_model(account, 0.9, card="s3://artifacts/card.json")
    page.goto(f"{served.address}/models")
    page.get_by_label("90.0%").check()
    page.get_by_role("button", name="Set this target").click()
    expect(page.locator("#sure-text")).to_contain_text("Set the target to 90.0%?")
    page.get_by_role("button", name="No").click()
    assert machine.started == []
    page.get_by_role("button", name="Set this target").click()
    page.get_by_role("button", name="Yes").click()
    page.wait_for_url("**/runs/threshold-*")
    assert [each["input"]["target_precision"] for each in machine.started] == [0.9]


def test_a_double_click_trains_once(
    page: Page,
    served: Served,
    account: Account,
    machine: PlayedStepFunctions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request: Any = {"action": "train", "data": ["s3://uploads/a.csv", "s3://uploads/decided.jsonl"]}
    planned = retraining.Retraining(request, version=1, rows=7, left_out=0)
    monkeypatch.setattr(retraining, "plan", lambda *_: planned)
    add_model(account, 0.9)
    page.goto(f"{served.address}/models")
    page.get_by_role("button", name="Train again").dblclick()
    expect(page.locator("#retraining")).to_contain_text("7 rows that people decided")
    expect(page.get_by_role("link", name="See how far it is")).to_be_visible()
    assert len(machine.started) == 1


@pytest.fixture
def everything(served: Served, account: Account, machine: PlayedStepFunctions) -> list[str]:
    """Return the addresses of all pages, with something on each."""
    machine.add("predict-claims-9", "predicted")
    account.s3.create_bucket(Bucket="claimflow-results")  # of the recorded run
    account.s3.put_object(Bucket="artifacts", Key="card.json", Body=json.dumps(CARD).encode())
    add_model(account, 0.9)
    add_model(account, 0.95, card="s3://artifacts/card.json")
    rows = [row(n, prediction=("Brakes", "Engine")[n % 2]) for n in range(8)]
    rows[0]["cells"][1] = "The washing machine rattles when it spins, and the drum hits the door. " * 4
    rows[1]["cells"][1] = "The door does not close. " * 40
    with_results(account, rows)
    decide, person = Decisions(account.dynamodb, "decisions", RUN).decide, Person("ana", "window-9")
    for number in (2, 3):
        answer = Answer("Wheels", f"t{number}", note="by the picture")
        decide(Asked(number, "Brakes", 3, audit=False), answer, person)
    decide(Asked(4, "Brakes", 2, audit=True), Answer("Brakes", "t4"), person)
    pages = [
        "/",
        "/runs/predict-claims-9",
        REVIEW,
        f"/runs/{RUN}/list",
        f"/runs/{RUN}/decided",
        f"/runs/{RUN}/final",
        "/truth",
        "/models",
        "/try",
    ]
    return [served.address + each for each in pages]


def opened(page: Page, address: str) -> None:
    """Open a page, which has something to show and no error, and wait for all of it."""
    answer = page.goto(address)
    assert answer is not None
    assert answer.ok, address
    page.wait_for_load_state("networkidle")


def test_every_page_fits_a_phone(page: Page, everything: list[str]) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    for address in everything:
        opened(page, address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address


def test_no_table_scrolls_sideways_on_a_phone(page: Page, everything: list[str]) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    seen = 0
    for address in everything:
        opened(page, address)
        for table in page.locator(".scroll").all():
            assert table.evaluate("each => each.scrollWidth - each.clientWidth") == 0, address
            seen += 1
    assert seen == 6


@pytest.mark.parametrize("width", [360, 1200])
def test_no_page_has_a_serious_finding_of_axe(page: Page, everything: list[str], width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    for address in everything:
        opened(page, address)
        found = Axe().run(page).response["violations"]
        serious = [
            (each["id"], each["nodes"][0]["html"])
            for each in found
            if each["impact"] in {"serious", "critical"}
        ]
        assert serious == [], address


def test_a_person_who_is_not_let_in_sees_one_sentence(served: Served, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(served.address)
    expect(page.locator("body")).to_contain_text("open the address that stands last")
