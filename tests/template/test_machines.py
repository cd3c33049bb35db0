"""The machines: what a parameter may name, and that types, GPUs and the machine image fit in every stack."""

from __future__ import annotations

import gzip
import json
import re
from importlib import resources as package_files
from typing import Any

import pytest

from docs import variants

Data = dict[str, Any]

KEPT_BY_BATCH = 800  # MiB of a machine of 8 GiB that the system and the agent of ECS take, rounded up
GIVEN: dict[str, list[str]] = {
    "none": [""],
    "one of each accelerator": ["g4dn.xlarge", "c6i.xlarge"],
    "processors": ["c6i.xlarge", "m5.2xlarge"],
    "cards": ["g5.xlarge", "g6.4xlarge"],
    "a card last": ["r7a.large", "m6i.xlarge", "g6.2xlarge"],
}
TRAINING = {"none": "", "processor": "ml.m5.4xlarge", "card": "ml.p3.2xlarge"}


@pytest.fixture(scope="module")
def types() -> dict[str, Data]:
    """Return what EC2 tells of its instance types, by their names."""
    file = package_files.files("moto") / "ec2" / "resources" / "instance_types.json.gz"
    known: dict[str, Data] = json.loads(gzip.decompress(file.read_bytes()))
    assert len(known) > 1000
    return known


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("training", TRAINING)
@pytest.mark.parametrize("accelerator", ["cpu", "gpu"])
def test_a_stack_that_the_rules_allow_has_machines_that_fit(
    template: Data, types: dict[str, Data], accelerator: str, training: str, given: str
) -> None:
    values = {
        "Accelerator": accelerator,
        "TrainingInstanceType": TRAINING[training],
        "BatchInstanceTypes": GIVEN[given],
    }
    machines = _machines(template, values)
    with_gpu = {_has_gpu(types[name]) for name in machines["types"]}
    fits = with_gpu == {accelerator == "gpu"}
    assert fits == _allowed(template, values)
    assert (machines["gpus"], machines["image"]) == (
        (1, "ECS_AL2023_NVIDIA") if accelerator == "gpu" else (0, "ECS_AL2023")
    )


def test_nothing_given_is_a_stack_without_gpus(template: Data, types: dict[str, Data]) -> None:
    defaults = {name: rule["Default"] for name, rule in template["Parameters"].items()}
    values = {**defaults, "BatchInstanceTypes": [defaults["BatchInstanceTypes"]]}
    machines = _machines(template, values)
    assert _allowed(template, values)
    assert not any(_has_gpu(types[name]) for name in machines["types"])
    assert not _has_gpu(types[machines["training"].removeprefix("ml.")])


@pytest.mark.parametrize("accelerator", ["cpu", "gpu"])
def test_a_job_of_the_default_size_fits_each_default_machine(
    template: Data, types: dict[str, Data], accelerator: str
) -> None:
    defaults = {name: rule["Default"] for name, rule in template["Parameters"].items()}
    values = {**defaults, "Accelerator": accelerator, "BatchInstanceTypes": [""]}
    for name in _machines(template, values)["types"]:
        assert defaults["JobMemoryMiB"] + KEPT_BY_BATCH <= types[name]["MemoryInfo"]["SizeInMiB"], name
        assert defaults["JobVcpus"] <= types[name]["VCpuInfo"]["DefaultVCpus"], name
    assert defaults["JobTmpMiB"] < defaults["JobMemoryMiB"] / 2, "temporary files are taken from the memory"
    assert defaults["JobVcpus"] <= defaults["MaxvCpus"]


def test_every_machine_that_may_be_named_runs_the_image(template: Data, types: dict[str, Data]) -> None:
    """Which has no code for Arm."""
    pattern = template["Parameters"]["BatchInstanceTypes"]["AllowedPattern"]
    named = [name for name in types if re.fullmatch(pattern, name)]
    assert {"c6i.xlarge", "m7a.8xlarge", "r5.large", "g6.xlarge"} <= set(named)
    assert not {"c7g.xlarge", "m6gd.large", "p3.2xlarge", "g3s.xlarge", "g4ad.xlarge"} & set(named)
    for name in named:
        assert types[name]["ProcessorInfo"]["SupportedArchitectures"] == ["x86_64"], name


def test_the_rules_know_every_card_that_may_be_named(template: Data, types: dict[str, Data]) -> None:
    pattern = template["Parameters"]["BatchInstanceTypes"]["AllowedPattern"]
    for name in (name for name in types if re.fullmatch(pattern, name)):
        for accelerator in ("cpu", "gpu"):
            values = {"Accelerator": accelerator, "BatchInstanceTypes": [name]}
            assert _allowed(template, values) == (_has_gpu(types[name]) == (accelerator == "gpu")), name


def _has_gpu(described: Data) -> bool:
    return "GpuInfo" in described


def _machines(template: Data, values: Data) -> Data:
    """Return what a stack with these parameters is made of."""
    resources = template["Resources"]
    compute = resources["ComputeEnvironment"]["Properties"]["ComputeResources"]
    (configuration,) = compute["Ec2Configuration"]
    container = resources["JobDefinition"]["Properties"]["ContainerProperties"]
    required = variants.value(container["ResourceRequirements"], values)
    variables = resources["PrepareFunction"]["Properties"]["Environment"]["Variables"]
    return {
        "types": variants.value(compute["InstanceTypes"], values),
        "image": variants.value(configuration["ImageType"], values),
        "gpus": sum(each["Value"] for each in required if each["Type"] == "GPU"),
        "training": variants.value(variables["CLAIMFLOW_INSTANCE_TYPE"], values),
    }


def _allowed(template: Data, values: Data) -> bool:
    """Say whether every rule about the machines holds."""
    rules = [template["Rules"][name] for name in ("GpuMachines", "CpuMachines")]
    return all(
        variants.value(each["Assert"], values)
        for rule in rules
        if variants.value(rule["RuleCondition"], values)
        for each in rule["Assertions"]
    )
