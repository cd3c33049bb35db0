"""What the image holds, and what it must not."""

import hashlib
import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.container.conftest import ROOT

from .conftest import Image

MOST_BYTES = 4.0e9
PACKAGE_CONFIGURATION = r".*/(pip\.conf|\.netrc|uv\.toml|\.config/.*|\.cache/.*)|/run/secrets/.*"


def test_every_library_that_mxnet_is_linked_to_is_there_but_for_the_driver(image: Image) -> None:
    libraries = image.python(
        "import pathlib, subprocess, sysconfig;"
        "library = pathlib.Path(sysconfig.get_path('purelib'), 'mxnet/libmxnet.so');"
        "print(subprocess.run(['ldd', library], capture_output=True, text=True, check=True).stdout)"
    )
    assert "libcudnn.so.8 => /opt/venv" in libraries
    assert re.findall(r"(\S+) => not found", libraries) == ["libcuda.so.1"]


def test_the_stub_of_the_driver_is_where_the_loader_does_not_look(image: Image) -> None:
    known = image.run("/sbin/ldconfig", "-p").stdout
    assert "libcudart" in known
    assert "libcuda.so" not in known


def test_mxnet_finds_no_gpu_and_works_without_a_driver(image: Image) -> None:
    said = image.python(
        "from container.driver import ensure_driver; there = ensure_driver();"
        "import mxnet as mx; print(there, mx.context.num_gpus(), mx.nd.ones(3).sum().asscalar())"
    )
    assert said.split() == ["False", "0", "3.0"]


def test_the_size_is_within_bounds(image: Image) -> None:
    assert int(image.inspect("{{.Size}}")) <= MOST_BYTES


def test_the_labels_say_what_it_is_and_of_which_commit(image: Image) -> None:
    labels = json.loads(image.inspect("{{json .Config.Labels}}"))
    assert labels["org.opencontainers.image.title"] == "Claimflow"
    assert re.fullmatch(r"[0-9a-f]{12}(-changed)?", labels["org.opencontainers.image.revision"])


def test_the_manifest_is_of_the_kind_that_sagemaker_registers(image: Image) -> None:
    if not image.engine.endswith("podman"):
        pytest.skip("docker tells the kind only on pushing")
    assert "docker.distribution.manifest.v2" in image.inspect("{{.ManifestType}}")


def test_nothing_of_the_package_configuration_is_left(image: Image) -> None:
    assert not re.search(r"pip|index|cert|proxy", image.inspect("{{json .Config.Env}}"), re.IGNORECASE)
    wanted = ("-regextype", "posix-extended", "-regex", PACKAGE_CONFIGURATION, "-type", "f", "-size", "+0")
    left = image.run("find", "/", "-xdev", *wanted, options=("--user", "0"))
    assert left.returncode == 0
    assert not left.stdout


def test_there_is_no_pip_and_no_program_that_gives_rights(image: Image) -> None:
    assert image.run("python", "-c", "import pip").returncode != 0
    found = image.run("find", "/", "-xdev", "-type", "f", "-perm", "/6000", options=("--user", "0"))
    assert (found.returncode, found.stdout) == (0, "")


def test_only_the_packages_that_it_runs_are_in_it(image: Image) -> None:
    packages = image.python("import os; print(sorted(os.listdir('/opt/app')))").strip()
    assert packages == "['container', 'contract', 'model']"
    assert "bom" not in image.python("import os; print(os.listdir('/opt/app/container'))")


def test_what_is_compiled_was_compiled_when_the_image_was_built(image: Image) -> None:
    said = image.python(
        "from container import compile; compile.main(); from model.ngram_training import _learn;"
        "print(sum(_learn.stats.cache_hits.values()), sum(_learn.stats.cache_misses.values()))"
    )
    assert said.splitlines()[-1] == "1 0"  # found for both trainings, and nothing compiled anew


def test_the_sentence_encoder_is_there_and_needs_no_network(image: Image) -> None:
    said = image.python(
        "from container.driver import ensure_driver; ensure_driver();"
        "from model.sentence_encoder import SentenceEncoder;"
        "print(SentenceEncoder.load('all_minilm_l6_v2').encode(['The drum leaks.']).shape)"
    )
    assert said.splitlines()[-1] == "(1, 384)"


def test_it_is_a_function_of_aws_lambda_too(image: Image) -> None:
    """By the entry point and the name that the template gives it."""
    said = image.python(
        "from awslambdaric import bootstrap;"
        "print(bootstrap._get_handler('container.label.handler').__module__)"
    )
    assert said.split() == ["container.label"]


def test_word_vectors_come_in_by_a_build_argument(image: Image, vectors_wheel: Path, address: str) -> None:
    """Builds the image again, with a wheel from a server on this machine."""
    with_vectors = Image(image.engine, f"{image.name}-vectors-test", image.scratch)
    build = [*shlex.split(os.environ["CLAIMFLOW_BUILD"]), "-f", "container/Dockerfile", "--network", "host"]
    build += ["-t", with_vectors.name, "--build-arg", f"VECTORS_URL={address}/{vectors_wheel.name}"]
    digest = hashlib.sha256(vectors_wheel.read_bytes()).hexdigest()
    try:
        wrong, right = (
            subprocess.run(
                [*build, "--build-arg", f"VECTORS_SHA256={given}", "."],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            for given in ("0" * 64, digest)
        )
        assert wrong.returncode != 0
        assert "DO NOT MATCH THE HASHES" in wrong.stdout + wrong.stderr
        assert right.returncode == 0, right.stdout + right.stderr
        load = "import spacy; print(spacy.load('en_claim_vectors').vocab.vectors.n_keys)"
        assert with_vectors.python(load).strip() == "3"
    finally:
        subprocess.run([image.engine, "rmi", "--force", with_vectors.name], capture_output=True, check=False)
