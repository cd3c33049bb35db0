"""A stack without AWS: its settings, its buckets, and what a run of it is made of."""

import csv
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from collect.handler import handler as collect
from contract.part import cells, columns, origin
from evaluate.handler import handler as evaluate
from prepare.handler import handler as prepare
from register.handler import handler as register
from shared import aws
from tests.predictions import prediction
from tests.unit.functions.enforcement import BUCKETS, MACHINE, STACK, TOPIC
from validate.handler import handler as validate

UPLOADS, ARTIFACTS, RESULTS = BUCKETS.values()
GROUP = STACK
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:claimflow:train-claims-abc"
SETTINGS = {
    "CLAIMFLOW_UPLOADS": UPLOADS,
    "CLAIMFLOW_ARTIFACTS": ARTIFACTS,
    "CLAIMFLOW_RESULTS": RESULTS,
    "CLAIMFLOW_DECISIONS": "decisions",
    "CLAIMFLOW_MODEL_GROUP": GROUP,
    "CLAIMFLOW_STATE_MACHINE": MACHINE,
    "CLAIMFLOW_TOPIC": TOPIC,
    "CLAIMFLOW_ACCURACY_BAR": "0.8",
    "CLAIMFLOW_LEAST_HELD_OUT_ROWS": "1",
    "CLAIMFLOW_LEAST_HELD_OUT_ROWS_PER_CATEGORY": "1",
    "CLAIMFLOW_BAR_BY_LOWER_BOUND": "false",
    "CLAIMFLOW_APPROVAL": "automatic",
    "CLAIMFLOW_IMAGE": f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/claimflow@sha256:{'1' * 64}",
    "CLAIMFLOW_JOB_DEFINITION": "arn:aws:batch:eu-west-1:123456789012:job-definition/claimflow-predict:3",
    "CLAIMFLOW_SMALL_FUNCTION": "",
    "CLAIMFLOW_SMALL_ROWS": "5000",
    "CLAIMFLOW_INSTANCE_TYPE": "ml.m5.xlarge",
    "CLAIMFLOW_INSTANCE_COUNT": "1",
    "CLAIMFLOW_VOLUME_GB": "30",
    "CLAIMFLOW_KMS_KEY": "",
    "CLAIMFLOW_SUBNETS": "",
    "CLAIMFLOW_SECURITY_GROUP": "",
    "CLAIMFLOW_MAX_TRAINING_SECONDS": "3600",
    "CLAIMFLOW_USE_SPOT": "false",
    "CLAIMFLOW_INSTANCE_PRICES": "ml.m5.xlarge:0.23,c6i.xlarge:0.18,m6i.xlarge:0.2",
    "CLAIMFLOW_BATCH_TYPES": "c6i.xlarge,m6i.xlarge",
    "CLAIMFLOW_VALIDATE_DISK_MB": "4096",
    "CLAIMFLOW_COLLECT_DISK_MB": "10240",
    "CLAIMFLOW_COLLECT_SECONDS": "900",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
}


State = dict[str, Any]


@dataclass(frozen=True)
class Stack:
    """The fake account, with what tests do to it again and again."""

    s3: Any
    sagemaker: Any
    step_functions: Any

    def upload(self, key: str, content: str | bytes, *, bucket: str = UPLOADS, packed: bool = False) -> str:
        body = content.encode() if isinstance(content, str) else content
        self.s3.put_object(Bucket=bucket, Key=key, Body=gzip.compress(body) if packed else body)
        return f"s3://{bucket}/{key}"

    def read(self, uri: str) -> bytes:
        bucket, key = uri.removeprefix("s3://").split("/", 1)
        return bytes(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def json(self, uri: str) -> Any:
        return json.loads(self.read(uri))

    def keys(self, bucket: str) -> list[str]:
        return [found["Key"] for found in self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def everything(self) -> dict[str, bytes]:
        """Return every object that the machine writes, by URI."""
        uris = [f"s3://{bucket}/{key}" for bucket in (ARTIFACTS, RESULTS) for key in self.keys(bucket)]
        return {uri: self.read(uri) for uri in uris}

    def prepare(self, request: object, execution: str = EXECUTION) -> State:
        return prepare({"request": request, "execution": execution}, None)

    def validated(
        self,
        action: str,
        content: str | bytes,
        config: dict[str, Any] | None = None,
        *,
        name: str = "claims.csv",
    ) -> State:
        """Upload a file and take the state through prepare and validate."""
        uri = self.upload(f"{action}/{name}", content, packed=name.endswith(".gz"))
        state: State = {"request": {"action": action, "data": uri, "config": config or {}}}
        state["run"] = self.prepare(state["request"])
        state["validation"] = validate(state, None)
        return state

    def validated_files(self, *contents: str | bytes, **config: object) -> State:
        """Upload labelled files, `a.csv` first, and take the state through prepare and validate."""
        uris = [
            self.upload(f"train/{name}.csv", each) for name, each in zip("abcdef", contents, strict=False)
        ]
        state: State = {"request": {"action": "train", "data": uris, "config": config}}
        state["run"] = self.prepare(state["request"])
        state["validation"] = validate(state, None)
        return state

    def validate(self, state: State) -> State:
        return validate(state, None)

    def trained(self, state: State, suspect_rows: str | None = None, **evaluation: object) -> State:
        """Leave what SageMaker leaves after a training, and give the `training` of the state."""
        job = state["run"]["job_name"] + "-0"
        folder = f"{state['run']['output_config']['S3OutputPath']}/{job}/output"
        written = json.dumps(EVALUATION | evaluation)
        left = {"program.json": json.dumps(PROGRAM)}
        left |= {} if suspect_rows is None else {"suspects.csv": suspect_rows}
        for name, files in (
            ("output.tar.gz", {"evaluation.json": written, "report.html": REPORT} | left),
            ("model.tar.gz", {"model.params": "weights", "encoder.json": "{}", "config.json": "{}"}),
        ):
            self.write(f"{folder}/{name}", tar_gz(files))
        return {
            "job": job,
            "status": "Completed",
            "detail": "Completed",
            "model_uri": f"{folder}/model.tar.gz",
            "output_uri": f"{folder}/output.tar.gz",
        }

    def live(self, **evaluation: object) -> State:
        """Train a model and make it live; give the whole state."""
        return self.made_live(self.validated("train", labelled(20)), **evaluation)

    def made_live(self, state: State, **evaluation: object) -> State:
        """Train on what was validated and make the model live; give the whole state."""
        if (
            "champion" not in evaluation
            and aws.sagemaker().list_model_packages(
                ModelPackageGroupName=GROUP, ModelApprovalStatus="Approved"
            )["ModelPackageSummaryList"]
        ):
            evaluation["champion"] = champion(9, 9)
        state["training"] = self.trained(state, **evaluation)
        state["evaluation"] = evaluate(state, None)
        state["registration"] = register(state, None)
        return state

    def write(self, uri: str, content: bytes, metadata: dict[str, str] | None = None) -> None:
        bucket, key = uri.removeprefix("s3://").split("/", 1)
        self.s3.put_object(Bucket=bucket, Key=key, Body=content, Metadata=metadata or {})

    def predicted(self, state: State, say: "Callable[[str], tuple[str, ...]] | None" = None) -> State:
        """Write a part for every shard, as the Batch job does, and give the `model` of the state.

        What `say` gives for a text are prediction, confidence, runner-up, doubt and, with explanations, why.
        """
        manifest, live = self.json(state["validation"]["predict"]["manifest"]), state["run"]["live_model"]
        for index, shard in enumerate(manifest["shards"]):
            rows = csv.DictReader(io.StringIO(self.read(shard["uri"]).decode(), newline=""))
            part = io.StringIO()
            writer = csv.writer(part)
            writer.writerow(columns(explain=manifest["explain"]))
            for row in rows:
                label, confidence, *more = (say or accept)(row["text"])
                said = prediction(int(row["row"]), label, float(confidence), *more)
                writer.writerow(cells(said, explain=manifest["explain"]))
            content = part.getvalue().encode()
            facts = facts_of(self, manifest, shard, live["model_uri"], content)
            self.write(f"{manifest['output']}/part-{index:05d}.csv", content, facts)
        return {key: live[key] for key in ("arn", "version", "model_uri")}

    def collect(self, state: State) -> State:
        return collect({"prediction": {"succeeded": True}, **state}, None)

    def table(self, uri: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.read(uri).decode("utf-8-sig"), newline="")))


PROGRAM = {"revision": "0123456789ab", "digest": "fedcba9876543210"}
REPORT = "<main><!-- verdict --><p>Report</p>"
EVALUATION = {
    "schema": 1,
    "accuracy": 0.9,
    "accuracy_interval": [0.85, 0.94],
    "validation_rows": 200,
    "labels": ["brakes", "engine"],
    "acceptance": {
        "target_precision": 0.98,
        "threshold": 0.9,
        "coverage": 0.8,
        "precision": 0.99,
        "advice": None,
    },
    "champion": None,
}
# What the targets of a ladder give; the highest is out of reach.
LADDER: list[State] = [
    {"target_precision": target, "threshold": threshold, "coverage": share, "precision": right, "chances": []}
    for target, threshold, share, right in (
        (0.9, 0.5, 0.9, 0.95),
        (0.95, 0.7, 0.8, 0.97),
        (0.98, 0.9, 0.6, 0.99),
        (0.99, None, 0.0, None),
    )
]
ACCEPTANCE = cast(State, EVALUATION["acceptance"]) | {"targets": LADDER, "watched": [], "chances": []}


def facts_of(stack: Stack, manifest: State, shard: State, model_uri: str, content: bytes) -> dict[str, str]:
    """Return the metadata that the program would write with a part."""
    bucket, key = model_uri.removeprefix("s3://").split("/", 1)
    etag = stack.s3.head_object(Bucket=bucket, Key=key)["ETag"].strip('"')
    explain = manifest.get("explain", False)
    target = manifest.get("target_precision")
    made_of = origin(shard["sha256"], etag, shard["rows"], explain=explain, target_precision=target)
    digest = hashlib.sha256(content).hexdigest()
    return made_of.metadata("a-program", digest)


def champion(new: int, live: int, rows: int = 10, **more: object) -> State:
    """Return the comparison of a new model with the live one, by how many of the rows they have right."""
    both = min(new, live)
    return {
        "rows": rows,
        "rows_of_live": 4,
        "both_right": both,
        "only_new_right": new - both,
        "only_live_right": live - both,
        "both_wrong": rows - max(new, live),
        "lost": {"labels": [], "count": 0, "rows": 0, "live_right": 0},
        **more,
    }


def accept(_text: str) -> tuple[str, str, str, str]:
    return "brakes", "0.9900", "engine", ""


def labelled(pairs: int, copies: int = 1) -> str:
    """Return a labelled file with two rows a pair, one of each category; copies repeat it."""
    rows = [(f"the {part} failed in case {n}", part) for n in range(pairs) for part in ("brakes", "engine")]
    return csv_text(["text", "category"], rows * copies)


def csv_text(header: list[str], rows: Iterable[Iterable[object]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(header)
    writer.writerows(rows)
    return file.getvalue()


def tar_gz(files: dict[str, str | bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            body = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return packed.getvalue()
