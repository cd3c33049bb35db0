"""Who is measured when, on which rows, and what is said when one fails; no peer's library is needed."""

import csv
import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import data, measure, results, roster, rows, run, suspects
from benchmarks.__main__ import main, used_cores
from benchmarks.contenders import claimflow
from benchmarks.errors import BenchmarkError
from benchmarks.results import Measurement, Results
from benchmarks.roster import Contender
from model.data import read_folder
from model.pipeline import Folders

CORES = sorted(os.sched_getaffinity(0))[:1]
LABELS = ["card", "cash", "loan"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A data folder with a tiny Banking77, sorted by label as the real one is."""
    folder = tmp_path / "data"
    folder.mkdir()
    for split, count in (("train", 120), ("test", 30)):
        with gzip.open(folder / f"banking77_{split}.csv.gz", "wt", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "category"])
            writer.writerows(
                (f"{split} {number}: my {label}, please", label)
                for label in LABELS
                for number in range(count // 3)
            )
    return folder


@pytest.fixture
def plan(source: Path, tmp_path: Path) -> run.Plan:
    work = tmp_path / "work"
    work.mkdir()
    return run.Plan([], data.chosen("banking77"), 2, None, CORES, source, work)


def fake(name: str, monkeypatch: pytest.MonkeyPatch) -> Contender:
    """A contender that this interpreter runs: Claimflow with a network that trains in a moment."""
    config = {"cnn": True, "num_epoch": 1, "embed_size": 4, "hidden_size": 4, "kernel_size": 1}
    monkeypatch.setattr(Contender, "python", property(lambda _: Path(sys.executable)))
    return roster.claimflow(name, name, config)


def test_each_round_begins_with_another() -> None:
    assert [run.rotated("abc", number) for number in range(4)] == [
        ["a", "b", "c"],
        ["b", "c", "a"],
        ["c", "a", "b"],
        ["a", "b", "c"],
    ]


def test_everyone_reads_the_same_rows_in_an_order_that_tells_nothing(source: Path, tmp_path: Path) -> None:
    made = data.prepare(data.DATASETS["banking77"], source, tmp_path / "prepared")
    texts, labels = rows.read(made.train)
    assert (made.train_rows, made.test_rows, made.labels) == (120, 30, 3)
    assert Counter(labels) == dict.fromkeys(LABELS, 40)
    assert labels != sorted(labels)
    assert (texts, labels) == rows.read(
        data.prepare(data.DATASETS["banking77"], source, tmp_path / "again").train
    )


def test_a_limit_takes_rows_of_every_label(source: Path, tmp_path: Path) -> None:
    made = data.prepare(data.DATASETS["banking77"], source, tmp_path / "prepared", limit=60)
    assert (made.train_rows, made.test_rows, made.labels) == (60, 30, 3)


def test_the_digest_does_not_depend_on_the_order() -> None:
    pairs = [("a", "x"), ("b", "y"), ("a", "x")]
    assert data.content_digest(pairs) == data.content_digest(pairs[::-1])
    assert data.content_digest(pairs) != data.content_digest(pairs[:2])


def test_a_long_file_repeats_the_test_rows(source: Path, tmp_path: Path) -> None:
    made = data.prepare(data.DATASETS["banking77"], source, tmp_path / "prepared")
    texts, _ = rows.read(data.repeated(made, 70, tmp_path / "long.csv"))
    assert len(texts) == 70
    assert texts[:10] == texts[30:40] == texts[60:70]


def test_missing_data_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"imdb_train.csv.gz is not .* `python -m benchmarks.fetch`"):
        data.prepare(data.DATASETS["imdb"], tmp_path, tmp_path / "prepared")


def test_claimflow_holds_out_a_tenth_of_the_rows_and_loses_none(source: Path, tmp_path: Path) -> None:
    made = data.prepare(data.DATASETS["banking77"], source, tmp_path / "prepared")
    folders = Folders(tmp_path / "train", tmp_path / "validation", tmp_path / "model", tmp_path / "output")
    claimflow.split(made.train, folders, 0.1)
    kept, held_out = [
        [row.number for row in read_folder(each)] for each in (folders.train, folders.validation)
    ]
    assert sorted(kept + held_out) == list(range(120))
    assert 4 <= len(held_out) <= 24


def test_a_run_measures_everyone_once_a_round_in_turn(
    plan: run.Plan, monkeypatch: pytest.MonkeyPatch, measurement: Callable[..., Measurement]
) -> None:
    plan.contenders.extend(fake(name, monkeypatch) for name in ("a", "b"))
    figures = measurement("imdb", "fasttext", 1).model_dump(
        exclude={"dataset", "contender", "round", "cores"}
    )
    monkeypatch.setattr(run, "measure", lambda *_: figures)
    kept: list[Results] = []
    made = run.run(plan, kept.append, lambda _: None)
    turns = [(each.round, each.contender) for each in made.measurements]
    assert turns == [(1, "claimflow-a"), (1, "claimflow-b"), (2, "claimflow-b"), (2, "claimflow-a")]
    assert [len(so_far.measurements) for so_far in kept] == [1, 2, 3, 4]


def test_one_that_fails_is_told_and_the_others_go_on(plan: run.Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    plan.contenders.extend([Contender("broken", "Broken", "no_such_module"), fake("a", monkeypatch)])
    told: list[str] = []
    made = run.run(replace(plan, rounds=1), lambda _: None, told.append)
    assert [failed.contender for failed in made.failures] == ["broken"]
    assert made.failures[0].sentence == (
        "it could not train: ModuleNotFoundError: No module named 'benchmarks.contenders.no_such_module'"
    )
    assert [each.contender for each in made.measurements] == ["claimflow-a"]
    assert [line.split(":")[0] for line in told] == [
        "banking77 broken round 1",
        "banking77 claimflow-a round 1",
    ]
    first = made.measurements[0]
    assert first.train_cpu_seconds > 0
    assert first.train_peak_mib > 20
    assert first.documents_per_second == pytest.approx(30 / first.predict_seconds)
    assert {"ece", "accepted_0.95", "oracle_0.95"} <= set(first.figures)


def test_files_of_any_length_are_labelled_to_a_file(plan: run.Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    plan.contenders.append(fake("a", monkeypatch))
    assert [made.rows for made in run.stream(plan, [50, 200], lambda _: None)] == [50, 200]


def test_a_contender_of_an_older_commit_runs_the_code_of_that_commit(
    plan: run.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = older_repository(tmp_path / "repository")
    monkeypatch.setattr(run, "ROOT", repository)
    before = replace(fake("before", monkeypatch), commit="HEAD")
    assert run.child(before, {"cores": CORES}, plan.work) == [1]


def test_a_commit_that_git_does_not_have_is_told(plan: run.Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "ROOT", plan.work)
    with pytest.raises(BenchmarkError, match="git does not have the commit f00"):
        run.checkout("f00", plan.work)


def older_repository(folder: Path) -> Path:
    """A repository whose only commit measures at once, and whose files have gone on since."""
    program = folder / "benchmarks" / "measure.py"
    program.parent.mkdir(parents=True)
    program.write_text('print("[1]")\n', encoding="utf-8")
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "older"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    program.write_text('print("[2]")\n', encoding="utf-8")
    return folder


def test_a_wrong_configuration_is_refused_before_anyone_is_measured() -> None:
    with pytest.raises(BenchmarkError, match=r"claimflow-wrong is wrong: .*num_epoch is 0"):
        run.check([roster.claimflow("wrong", "wrong", {"num_epoch": 0})])


def test_an_environment_that_is_not_there_says_how_to_make_it() -> None:
    with pytest.raises(BenchmarkError, match=r"run `make .venv/nowhere/.done`"):
        run.check([Contender("someone", "Someone", "someone", "nowhere")])


def test_names_that_are_none_are_refused_with_those_that_are() -> None:
    with pytest.raises(BenchmarkError, match="no contender 'bert'; there are claimflow-auto, "):
        roster.chosen("fasttext,bert")
    with pytest.raises(BenchmarkError, match="no data set 'sst'; there are imdb, banking77"):
        data.chosen("sst")


def test_every_contender_has_its_module() -> None:
    folder = roster.ROOT / "benchmarks" / "contenders"
    assert len({contender.name for contender in roster.ROSTER}) == len(roster.ROSTER)
    assert all((folder / f"{contender.module}.py").exists() for contender in roster.ROSTER)


def test_too_many_cores_are_refused() -> None:
    with pytest.raises(BenchmarkError, match=r"core\(s\), not 4096"):
        used_cores(4096)


def test_a_short_file_is_predicted_again_and_the_median_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([0.3, 0.1, 0.2, 0.5])
    monkeypatch.setattr(measure, "timed", lambda work: (work(), next(seconds), 0.0))
    _, wall, _ = measure.passes(list)
    assert wall == pytest.approx(0.25)


def test_cpu_seconds_count_work_and_not_waiting() -> None:
    _, wall, cpu = measure.timed(lambda: sum(range(2_000_000)))
    assert 0 < cpu < wall + 1
    assert measure.peak_mib() > 10


def test_memory_of_a_training_is_that_of_its_processes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "held = bytearray(200_000_000); print('held', flush=True); input()"
    alone = measure.tree_mib()
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        child.stdout.readline()
        together = measure.tree_mib()
        child.communicate("\n")
    assert together - alone > 150
    monkeypatch.setattr(measure, "LOOK_SECONDS", 0.001)
    with measure.most_of_all(watch=True) as most:
        while len(most) < 3:
            pass
    assert max(most) > 10
    assert measure.proportional_mib("0") == 0


def test_an_error_is_one_sentence_and_the_exit_code_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "publish", "--output", str(tmp_path / "none.json")])
    assert main() == 1
    assert "run `python -m benchmarks run` first" in capsys.readouterr().err


def test_results_of_another_shape_are_refused(sample: Results, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    results.write(path, sample)
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | {"surplus": 1}), encoding="utf-8")
    with pytest.raises(BenchmarkError, match="not a results file of this program"):
        results.read(path)


def test_slow_contenders_are_measured_once_and_everyone_on_his_data_only() -> None:
    quick = Contender("quick", "Quick", "fasttext_bigrams")
    slow = Contender("slow", "Slow", "fasttext_bigrams", slow=True, datasets=("imdb",))
    imdb, banking = data.DATASETS["imdb"], data.DATASETS["banking77"]
    assert run.present([quick, slow], imdb, 0) == [quick, slow]
    assert run.present([quick, slow], imdb, 1) == [quick]
    assert run.present([quick, slow], banking, 0) == [quick]
    assert (quick.cores, slow.cores) == (1, 2)


def test_added_results_replace_the_same_contender_only(
    sample: Results, measurement: Callable[..., Measurement]
) -> None:
    newer = sample.model_copy(
        update={"measurements": [measurement("imdb", "fasttext", 1, accuracy=0.5)], "streams": []}
    )
    both = results.together(sample, newer)
    assert both.spread("imdb", "fasttext", "accuracy") == results.Spread(0.5, 0.5, 0.5)
    assert both.median("imdb", "claimflow-ngram", "accuracy") == 0.923
    assert len(both.measurements) == len(sample.measurements) - 2
    assert both.streams == sample.streams
    assert results.together(None, newer) == newer


def test_a_small_data_set_is_the_first_rows_of_the_whole_one(source: Path, tmp_path: Path) -> None:
    small = replace(data.DATASETS["banking77"], name="small", rows=20)
    whole = rows.read(data.prepare(data.DATASETS["banking77"], source, tmp_path / "whole").train)
    part = rows.read(data.prepare(small, source, tmp_path / "small").train)
    assert part == (whole[0][:20], whole[1][:20])


def test_development_sets_are_measured_as_they_come_with_n_grams_alone_and_with_peers() -> None:
    for name in (*roster.DEVELOPMENT, roster.CHINESE, roster.TWO_LANGUAGES):
        measured = run.present(roster.ROSTER, data.DATASETS[name], 0)
        assert [each.name for each in measured] == [
            "claimflow-auto",
            "claimflow-ngram-auto",
            "fasttext",
            "wordchar-svc",
            "minilm-logistic",
        ]


def test_all_that_the_folder_has_is_measured_unless_some_are_named(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMFLOW_DATA", str(source))
    assert {each.name for each in data.chosen(None)} == {
        "banking77",
        *roster.FEW,
        roster.NOISY,
        "banking77-drawn",
        roster.CLAIMS,
    }
    assert [each.name for each in data.chosen("cr,r8")] == ["cr", "r8"]


def prepared(name: str, source: Path, folder: Path, draw: int) -> tuple[list[str], list[str]]:
    return rows.read(data.prepare(data.DATASETS[name], source, folder, draw=draw).train)


def test_few_rows_are_as_many_of_each_label_and_others_each_round(source: Path, tmp_path: Path) -> None:
    first, second = (prepared("banking77-5", source, tmp_path / str(draw), draw) for draw in (0, 1))
    assert Counter(first[1]) == Counter(second[1]) == dict.fromkeys(LABELS, 5)
    assert set(first[0]) != set(second[0])
    assert prepared("banking77-5", source, tmp_path / "again", 1) == second


def test_one_label_in_ten_is_another_one(source: Path, tmp_path: Path) -> None:
    clean = dict(zip(*prepared("banking77", source, tmp_path / "clean", 0), strict=True))
    first, second = (prepared(roster.NOISY, source, tmp_path / str(draw), draw) for draw in (0, 1))
    wrong = [
        {text for text, label in zip(*each, strict=True) if clean[text] != label} for each in (first, second)
    ]
    assert [len(each) for each in wrong] == [12, 12]
    assert wrong[0] != wrong[1]
    assert set(first[1]) == set(LABELS)


def test_nine_rows_in_ten_are_drawn(source: Path, tmp_path: Path) -> None:
    first, second = (set(prepared("banking77-drawn", source, tmp_path / str(n), n)[0]) for n in (0, 1))
    assert len(first) == len(second) == 108
    assert first != second


@pytest.mark.parametrize("name", ["banking77-20", "banking77-drawn", roster.NOISY])
def test_a_limit_holds_for_rows_that_are_drawn(source: Path, tmp_path: Path, name: str) -> None:
    assert data.prepare(data.DATASETS[name], source, tmp_path / "prepared", limit=50).train_rows == 50


def test_foreign_rows_are_the_test_rows_of_another_data_set(source: Path, tmp_path: Path) -> None:
    with gzip.open(source / "hwu64_test.csv.gz", "wt", encoding="utf-8") as file:
        file.write("text,label\nplay music,music\n")
    made = data.prepare(data.DATASETS["banking77-hwu64"], source, tmp_path / "prepared")
    assert (made.train_rows, made.labels, rows.read(made.test)) == (120, 3, (["play music"], ["music"]))


def test_a_file_in_two_languages_has_the_rows_of_both(source: Path, tmp_path: Path) -> None:
    for stem, text in (("imdb", "a fine film"), ("chinese", "很好")):
        for split in ("train", "test"):
            with gzip.open(source / f"{stem}_{split}.csv.gz", "wt", encoding="utf-8") as file:
                file.write(f"sentiment,text\n1,{text} {split}\n")
    made = data.prepare(data.DATASETS[roster.TWO_LANGUAGES], source, tmp_path / "prepared")
    assert sorted(rows.read(made.train)[0]) == ["a fine film train", "很好 train"]
    assert sorted(rows.read(made.test)[0]) == ["a fine film test", "很好 test"]


def test_the_claims_that_lack_a_text_or_a_label_are_left_out(source: Path, tmp_path: Path) -> None:
    made = data.prepare(data.DATASETS[roster.CLAIMS], source, tmp_path / "prepared")
    texts, labels = rows.read(made.train)
    assert 7_900 < len(texts) < 8_000
    assert all(texts)
    assert all(labels)


def test_a_round_has_the_rows_that_are_drawn_for_it(plan: run.Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[str]] = []

    def measure(_: Contender, prepared: data.Prepared, __: run.Plan) -> dict[str, Any]:
        seen.append(set(rows.read(prepared.train)[0]))
        raise BenchmarkError("enough")

    monkeypatch.setattr(run, "measure", measure)
    changed = replace(plan, datasets=data.chosen("banking77-5,banking77"))
    changed.contenders.append(replace(fake("a", monkeypatch), datasets=("banking77-5", "banking77")))
    run.run(changed, lambda _: None, lambda _: None)
    few, whole, few_again, whole_again = seen
    assert (len(few), few != few_again, whole == whole_again) == (15, True, True)


def test_suspects_are_compared_with_the_labels_that_were_exchanged(
    plan: run.Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def child(_: Contender, order: dict[str, Any], __: Path) -> dict[str, Any]:
        assert order["action"] == "suspects"
        clean = data.shuffled(data.read(data.DATASETS["banking77"], "train", plan.source))
        labels = rows.read(Path(order["train"]))[1]
        wrong = [number for number, (_, label) in enumerate(clean) if label != labels[number]]
        right = next(number for number in range(120) if number not in wrong)
        return {"rows": [wrong[0], right, *wrong[1:5]]}

    monkeypatch.setattr(run, "child", child)
    plan.contenders.append(fake("a", monkeypatch))
    found = suspects.measure(plan, 0)
    assert (found.rows, found.wrong, found.listed, found.found, found.first_wrong) == (120, 12, 6, 5, 5)


def test_a_training_lists_its_suspects_by_their_rows(source: Path, tmp_path: Path) -> None:
    made = data.prepare(data.DATASETS[roster.NOISY], source, tmp_path / "prepared")
    clean = data.shuffled(data.read(data.DATASETS["banking77"], "train", source))
    labels = rows.read(made.train)[1]
    wrong = {number for number, (_, label) in enumerate(clean) if label != labels[number]}
    listed = claimflow.suspects(made.train, {"config": {"architecture": "ngram"}}, tmp_path / "scratch")
    assert len(listed) >= 9
    assert wrong.issuperset(listed)


@pytest.mark.parametrize(
    ("correct", "target", "share"),
    [([1, 1, 0, 1], 0.75, 1.0), ([1, 1, 0, 1], 0.9, 0.5), ([0, 1, 1, 1], 0.9, 0.0), ([0, 1, 1, 1], 0.7, 1.0)],
)
def test_the_oracle_takes_as_many_of_the_surest_rows_as_the_target_allows(
    correct: list[int], target: float, share: float
) -> None:
    confidences = np.array([0.9, 0.8, 0.7, 0.6])
    assert claimflow.oracle(confidences, np.array(correct, dtype=bool), target) == share


def test_n_grams_alone_do_not_read_sentences() -> None:
    for contender in roster.chosen("claimflow-ngram,claimflow-ngram-auto"):
        assert contender.order()["config"]["architecture"] == "ngram"
