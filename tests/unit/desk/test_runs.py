"""The page of a run: its steps, what came out, and its files."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from desk.desk import Desk
from tests.unit.workflow import queues
from tests.unit.workflow.fakes import PlayedStepFunctions
from workflow import stack
from workflow.account import Account
from workflow.queue import QueueReader

RUN = "predict-claims-1"


@pytest.fixture
def run(account: Account, machine: PlayedStepFunctions) -> str:
    """Return a run that ended, with files in its folder."""
    machine.add(RUN, "predicted")
    return RUN


def folder(browser: TestClient, account: Account, **files: str) -> str:
    """Put files into the folder of the run, and return its name."""
    from workflow import runs  # noqa: PLC0415

    name = runs.glance(account, f"arn:aws:states:us-east-1:000000000000:execution:claimflow:{RUN}").folder
    for each, content in files.items():
        account.s3.put_object(
            Bucket="results", Key=f"{name}/{each.replace('__', '.')}", Body=content.encode()
        )
    return name


def test_a_run_shows_its_steps_its_figures_and_its_files(
    browser: TestClient, account: Account, run: str
) -> None:
    folder(browser, account, claims__results__csv="a\n", report__html="<h1>R</h1>", manifest__json="{}")
    page = browser.get(f"/runs/{run}").text
    for each in ("Prepare", "Validate", "Predict", "Collect", "Accepted automatically", "claims.results.csv"):
        assert each in page
    assert "manifest.json" not in page
    assert f'href="/runs/{run}/decided"' in page


def test_a_run_is_headed_by_its_file_and_its_own_name_stands_below(
    browser: TestClient, account: Account, run: str
) -> None:
    folder(browser, account, report__html="<h1>R</h1>")
    page = browser.get(f"/runs/{run}").text
    assert "<h1>claims_predict.csv</h1>" in page
    assert f'<p class="name">{run}</p>' in page
    assert (
        f'<a href="/runs/{run}">claims_predict.csv</a>' in browser.get(f"/runs/{run}/report/report.html").text
    )


def test_a_run_that_goes_on_shows_what_is_to_come(browser: TestClient, machine: PlayedStepFunctions) -> None:
    machine.add("train-claims-1", "trained")
    machine.running.add("train-claims-1")
    page = browser.get("/runs/train-claims-1").text
    assert "data-running" in page
    assert "Files</h2>" not in page


def test_a_failed_run_says_its_sentence(browser: TestClient, machine: PlayedStepFunctions) -> None:
    machine.add("predict-claims-2", "predicted")
    machine.failed["predict-claims-2"] = "InvalidData"
    page = browser.get("/runs/predict-claims-2").text
    assert "It is so." in page


def test_a_run_is_stopped_and_one_that_failed_goes_on(
    browser: TestClient, machine: PlayedStepFunctions
) -> None:
    machine.add("predict-claims-2", "predicted")
    machine.running.add("predict-claims-2")
    address = "/api/runs/predict-claims-2/change"
    assert browser.post(address, json={"change": "stop"}).status_code == 200
    assert machine.stopped == ["predict-claims-2"]
    machine.failed["predict-claims-2"] = "PredictionFailed"
    assert "Go on from the step that failed" in browser.get("/runs/predict-claims-2").text
    assert browser.post(address, json={"change": "redrive"}).status_code == 200
    assert machine.failed == {}
    refused = browser.post(address, json={"change": "redrive"})
    assert refused.status_code == 400
    assert "it is done already" in refused.json()["error"]


def test_a_run_that_would_end_as_it_did_offers_no_way_on(
    browser: TestClient, machine: PlayedStepFunctions
) -> None:
    machine.add("predict-claims-2", "predicted")
    machine.failed["predict-claims-2"] = "InvalidData"
    assert "Go on from the step that failed" not in browser.get("/runs/predict-claims-2").text


def test_a_file_is_downloaded_as_it_is_and_never_shown(
    browser: TestClient, account: Account, run: str
) -> None:
    folder(browser, account, claims__results__csv="a,b\n<script>\n", report__html="<script>1</script>")
    answer = browser.get(f"/runs/{run}/files/claims.results.csv")
    assert answer.content == b"a,b\n<script>\n"
    assert answer.headers["content-disposition"].startswith("attachment")
    report = browser.get(f"/runs/{run}/files/report.html")
    assert report.headers["content-disposition"].startswith("attachment")


def test_a_report_is_shown_in_a_frame_that_runs_nothing(
    browser: TestClient, account: Account, run: str
) -> None:
    folder(browser, account, report__html="<script>1</script>", claims__results__csv="a\n")
    page = browser.get(f"/runs/{run}/report/report.html").text
    assert '<iframe class="report" sandbox=""' in page
    shown = browser.get(f"/runs/{run}/files/report.html?view")
    assert shown.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert shown.headers["content-type"].startswith("text/html")
    other = browser.get(f"/runs/{run}/files/claims.results.csv?view")
    assert other.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "name",
    ["none.csv", "../predict-claims-2/report.html", "%2e%2e/x", "manifest.json", "queue/index.json", ""],
)
def test_no_other_file_of_the_bucket_is_given(
    browser: TestClient, account: Account, run: str, name: str
) -> None:
    of = folder(browser, account, manifest__json="{}")
    account.s3.put_object(Bucket="results", Key=f"{of}/queue/index.json", Body=b"{}")
    account.s3.put_object(Bucket="results", Key="predict-claims-2/report.html", Body=b"x")
    assert browser.get(f"/runs/{run}/files/{name}").status_code == 404


@pytest.mark.parametrize("name", ["none", "%2e%2e", "a b", "x" * 81, "a:b"])
def test_a_run_that_is_not_there_is_told(browser: TestClient, name: str) -> None:
    answer = browser.get(f"/runs/{name}")
    assert answer.status_code == 404
    assert "That is not possible" in answer.text


def test_an_aws_that_does_not_answer_is_told_in_a_sentence(
    browser: TestClient, machine: PlayedStepFunctions, run: str
) -> None:
    machine.error = OSError(5, "Input/output error", "disk")
    answer = browser.get(f"/runs/{run}")
    assert answer.status_code == 502
    assert "disk cannot be used: Input/output error." in answer.text


def test_a_fault_of_the_desk_shows_no_traceback(
    browser: TestClient, machine: PlayedStepFunctions, run: str
) -> None:
    machine.error = ZeroDivisionError("secret")
    answer = browser.get(f"/runs/{run}")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Something went wrong" in answer.text


def test_opening_one_queue_does_not_wait_for_another(
    browser: TestClient, account: Account, machine: PlayedStepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues.put(account, [queues.row(0)])
    desk = Desk(account, stack.read_stack(account), "ana")
    begun, may_end = threading.Event(), threading.Event()
    read = QueueReader.of_run
    opened: list[str] = []

    def slowly(account: Account, found: stack.Stack, folder: str) -> QueueReader:
        opened.append(folder)
        if folder == "predict-big":
            begun.set()
            may_end.wait()
        return read(account, found, queues.RUN)

    monkeypatch.setattr(QueueReader, "of_run", slowly)
    with ThreadPoolExecutor(2) as pool:
        big = [pool.submit(desk.reader, "predict-big") for _ in range(2)]
        begun.wait()
        assert desk.reader(queues.RUN).rows == 1
        may_end.set()
        assert big[0].result() is big[1].result()
    assert opened == ["predict-big", queues.RUN]
