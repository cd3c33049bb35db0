"""Labels very many rows with the programs themselves, kills them in the middle, and goes on.

    python -m benchmarks.resume 10000000 [FOLDER]

The functions validate and collect and the program predict run as in AWS, one process each, on a folder in
place of S3. Half of the parts are made, then the whole process group is killed; the second start makes the
others. Every row of the results is looked at. Needs about 6 GB of disk for ten million rows.
"""

import csv
import importlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
from pathlib import Path

from benchmarks.folder_s3 import FolderS3
from contract.columns import CHANNEL
from contract.state import LiveModel, Model
from examples.make_claims import PREDICT, claims

ROOT = Path(__file__).resolve().parent.parent
SEED, DIFFERENT = 1, 20_000
CONFIG = {
    "ngram_words": 2, "ngram_skip": 0, "ngram_chars": None, "ngram_end": 0, "ngram_repeats": False,
    "ngram_scale": "nb", "ngram_norm": "sqrt", "ngram_optimizer": "adam", "ngram_epochs": 2,
}  # fmt: skip
MODEL: Model = {
    "arn": "arn:aws:sagemaker:::model-package/many/1",
    "version": 1,
    "model_uri": "s3://artifacts/model.tar.gz",
}
BUCKETS = {"UPLOADS": "uploads", "ARTIFACTS": "artifacts", "RESULTS": "results"}


def main(rows: int, folder: Path) -> None:
    """Do it all, and print the figures."""
    source = _made(folder / "uploads" / "claims.csv", rows)
    print(f"{rows:,} rows, {source.stat().st_size / 1e6:,.0f} MB")
    model = _model(folder)
    print(f"validate: {_step('validate', folder)}")
    manifest = _manifest_of_paths(folder)
    shards = len(json.loads(manifest.read_text(encoding="utf-8"))["shards"])
    print(f"{shards} shards")
    killed = _kill_in_the_middle(folder, manifest, model, shards // 2)
    print(f"predict, killed with {killed} parts made")
    print(f"predict, started again: {_step('predict', folder, str(manifest), str(model))}")
    print(f"collect: {_step('collect', folder)}")
    print(_checked(folder / "results", rows))


def _made(path: Path, rows: int) -> Path:
    phrases = tomllib.loads((ROOT / "examples" / "phrases.toml").read_text(encoding="utf-8"))
    made = list(itertools.islice(claims(PREDICT, phrases, random.Random(SEED)), DIFFERENT))  # noqa: S311
    path.parent.mkdir(parents=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["claim_id", "date", "product", "description", "category"])
        writer.writerows(
            [number, *row[1:]] for number, row in zip(range(rows), itertools.cycle(made), strict=False)
        )
    return path


def _model(folder: Path) -> Path:
    """Train on the sample claims with the program `train`; give its model.tar.gz."""
    base = folder / "ml"
    labelled = list(
        csv.DictReader((ROOT / "examples" / "claims_train.csv").open(encoding="utf-8", newline=""))
    )
    usable = [
        (row["description"], row["category"]) for row in labelled if row["description"] and row["category"]
    ]
    for name, part in (("train", usable[1000:]), ("validation", usable[:1000])):
        file = base / "input" / "data" / name / "part-00000.csv"
        file.parent.mkdir(parents=True)
        with file.open("w", newline="", encoding="utf-8") as channel:
            csv.writer(channel).writerows([CHANNEL, *((n, *row, n + 2) for n, row in enumerate(part))])
    settings = base / "input" / "config" / "hyperparameters.json"
    settings.parent.mkdir()
    settings.write_text(
        json.dumps({key: json.dumps(value) for key, value in CONFIG.items()}), encoding="utf-8"
    )
    environment = os.environ | {"CLAIMFLOW_BASE_DIR": str(base)}
    subprocess.run(
        [sys.executable, ROOT / "container" / "train"], env=environment, check=True, stdout=subprocess.DEVNULL
    )
    model = folder / "artifacts" / "model.tar.gz"
    model.parent.mkdir()
    with tarfile.open(model, "w:gz") as archive:
        archive.add(base / "model", arcname=".")
    return model


def _step(*what: str | Path) -> str:
    """Run a step in a process of its own; give its times, its largest memory and what it printed last."""
    began = time.monotonic()
    command = [sys.executable, "-m", "benchmarks.resume", *map(str, what)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read() if process.stdout else ""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{what[0]} failed: {output[-2000:]}")
    seconds, cpu = time.monotonic() - began, used.ru_utime + used.ru_stime
    last = next((line for line in reversed(output.splitlines()) if not line.startswith('{"')), "")
    memory = used.ru_maxrss / 1024
    return f"{seconds:,.0f} s ({cpu:,.0f} s of CPU), at most {memory:,.0f} MB{last and f', {last}'}"


def _kill_in_the_middle(folder: Path, manifest: Path, model: Path, parts: int) -> int:
    command = [sys.executable, "-m", "benchmarks.resume", "predict", str(folder), str(manifest), str(model)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None and _parts(manifest) < parts:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return _parts(manifest)


def _parts(manifest: Path) -> int:
    return sum(1 for _ in manifest.parent.glob("parts/part-*.csv"))


def _manifest_of_paths(folder: Path) -> Path:
    """Return the manifest with paths in place of its s3:// addresses, for a program without S3."""
    (manifest,) = folder.glob("artifacts/runs/*/predict/manifest.json")
    paths = manifest.with_name("manifest.paths.json")
    paths.write_text(manifest.read_text(encoding="utf-8").replace("s3://", f"{folder}/"), encoding="utf-8")
    return paths


def _checked(results: Path, rows: int) -> str:
    """Look at every row of the results."""
    (file,) = results.rglob("*results.csv")
    labelled = 0
    with file.open(newline="", encoding="utf-8-sig") as table:
        for number, row in enumerate(csv.DictReader(table)):
            if int(row["claim_id"]) != number:
                raise SystemExit(f"Row {number} of the results is claim {row['claim_id']}.")
            labelled += bool(row["prediction"])
    if number + 1 != rows or labelled != rows:
        raise SystemExit(f"{number + 1:,} rows came back, {labelled:,} of them labelled.")
    return f"Every one of {rows:,} rows came back once, in order and labelled."


def validate(folder: Path) -> None:
    """Run the function validate on the file, for a run as prepare describes it."""
    _functions(folder)
    from prepare import configuration, run  # noqa: PLC0415  after the settings
    from shared.storage import Location, ObjectInfo  # noqa: PLC0415
    from validate.handler import handler  # noqa: PLC0415

    size = (folder / "uploads" / "claims.csv").stat().st_size
    data = ObjectInfo(Location("uploads", "claims.csv"), None, str(size), size)
    given = {"text_column": "description", "label_column": "category", "allow_partial": False}
    config = configuration.complete(given, "The benchmark", "artifacts")
    live: LiveModel = {**MODEL, "card": None, "job": None, "target_precision": None, "approval": None}
    uploads, artifacts, results = BUCKETS.values()
    runs, sizes = ("image", "predict:1"), (1, 30, 3600)
    stack = run.Stack(
        "claimflow", uploads, artifacts, results, *runs, 0.8, "ml.m5.xlarge", *sizes, use_spot=False
    )
    described = run.describe(run.Inputs("predict", data, None, config, live), stack, "many")
    validation = handler({"run": described}, None)
    state = {"run": described, "model": MODEL, "validation": validation, "prediction": {"succeeded": True}}
    (folder / "state.json").write_text(json.dumps(state), encoding="utf-8")


def predict(manifest: Path, model: Path) -> None:
    """Run the program predict for each shard in turn, as Batch does, with its libraries loaded before."""
    from container import prediction, supervision  # noqa: PLC0415
    from container.driver import ensure_driver  # noqa: PLC0415

    ensure_driver()
    for name in ("model.artifact", "model.prediction"):
        importlib.import_module(name)

    os.environ |= {"CLAIMFLOW_MANIFEST": str(manifest), "CLAIMFLOW_MODEL": str(model)}
    for index in range(len(json.loads(manifest.read_text(encoding="utf-8"))["shards"])):
        os.environ["AWS_BATCH_JOB_ARRAY_INDEX"] = str(index)
        if code := supervision.supervised(prediction.main, prediction.killed):
            raise SystemExit(code)


def collect(folder: Path) -> None:
    """Run the function collect."""
    _functions(folder)
    from collect.handler import handler  # noqa: PLC0415

    found = handler(json.loads((folder / "state.json").read_text(encoding="utf-8")), None)
    print({key: found[key] for key in ("rows", "predicted", "missing_rows")})


def _functions(folder: Path) -> None:
    from shared import aws  # noqa: PLC0415

    os.environ |= {f"CLAIMFLOW_{name}": bucket for name, bucket in BUCKETS.items()}
    os.environ |= {
        "CLAIMFLOW_STACK": "claimflow",
        "CLAIMFLOW_COLLECT_SECONDS": "900",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
    s3 = FolderS3(folder)
    aws.s3 = lambda: s3  # type: ignore[assignment]


if __name__ == "__main__":
    if sys.argv[1].isdecimal():
        if len(sys.argv) > 2:
            main(int(sys.argv[1]), Path(sys.argv[2]).absolute())
        else:
            with tempfile.TemporaryDirectory() as scratch:
                main(int(sys.argv[1]), Path(scratch))
    elif sys.argv[1] == "predict":
        predict(Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        {"validate": validate, "collect": collect}[sys.argv[1]](Path(sys.argv[2]))
