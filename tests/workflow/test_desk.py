"""The desk on the local AWS: from a dropped file to the final file, through a kill of its process."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.workflow.claims import as_csv, rows
from tests.workflow.stack import ROOT, Stack, free_port


@contextmanager
def desk(stack: Stack, port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve the desk as a person does; yields the process and the address that it prints."""
    command = ["claimflow", "--local", "--stack", stack.name, "desk", "--port", str(port)]
    program = subprocess.Popen(
        command,
        cwd=ROOT,
        env=stack.environment | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert program.stdout is not None
    try:
        address = next(line for line in program.stdout if "token=" in line).split(": ", 1)[1].strip()
        yield program, address
    finally:
        program.kill()
        program.wait()
        program.stdout.close()


def decide(page: Page, key: str) -> None:
    expect(page.locator("#desk[aria-busy=false]")).to_be_attached()
    page.keyboard.press(key)


def test_a_file_is_dropped_labelled_reviewed_through_a_kill_and_finished(
    live: Stack, chromium: Browser, tmp_path: Path
) -> None:
    (tmp_path / "dropped.csv").write_text(as_csv(rows(40, seed=90) + rows(60, seed=91, noise=True)))
    port, context = free_port(), chromium.new_context(accept_downloads=True)
    page = context.new_page()
    with desk(live, port) as (program, address):
        page.goto(address)
        page.locator("[data-action=predict] input[type=file]").set_input_files(tmp_path / "dropped.csv")
        page.get_by_role("link", name="Review the rows for people").click(timeout=120_000)
        for _ in range(10):
            decide(page, "Enter")
        expect(page.locator("#history li")).to_have_count(10)
        expect(page.locator("#desk[aria-busy=false]")).to_be_attached()
        os.kill(program.pid, signal.SIGKILL)
        program.wait()
        page.keyboard.press("2")
        expect(page.locator("#waiting")).to_contain_text("kept here and sent again")
    with desk(live, port) as (_, address):
        context.new_page().goto(address)
        expect(page.locator("#waiting")).to_be_hidden(timeout=30_000)
        for _ in range(9):
            decide(page, "Enter")
        expect(page.locator("#desk[aria-busy=false]")).to_be_attached()
        page.get_by_role("link", name="finish").click()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the final file").click()
        download.value.save_as(tmp_path / "final.csv")
        context.close()
    live.notifications(expected=1)
    with (tmp_path / "final.csv").open(encoding="utf-8-sig", newline="") as file:
        final = list(csv.DictReader(file))
    by_people = [each for each in final if each["decided_by"] not in {"", "model"}]
    assert len(final) == 100
    assert len(by_people) == 20
    assert sum(each["final_category"] != each["prediction"] for each in by_people) == 1
