# The two commands of the README are `make demo` and `make test`; each sets itself up first.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3.11
VENV := .venv
UV := $(VENV)/uv/bin/uv
APP := $(VENV)/app
SAM := $(VENV)/sam
LOCAL := $(VENV)/local
BENCHMARKS := $(VENV)/benchmarks
NOTEBOOK := $(VENV)/notebook
CHECKOV := $(VENV)/checkov
BIN := $(APP)/bin
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/$(SAM)/bin:$(CURDIR)/$(LOCAL)/bin:$(PATH)

.PHONY: help setup
help: ## Show what make can do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: $(APP)/.done $(SAM)/.done $(LOCAL)/.done ## Make the three Python environments (once)

$(UV): requirements/uv.txt
	@echo "Setting up: uv"
	@$(PYTHON) -m venv --clear $(VENV)/uv
	@$(VENV)/uv/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(APP)/.done $(SAM)/.done $(LOCAL)/.done $(BENCHMARKS)/.done $(NOTEBOOK)/.done $(CHECKOV)/.done: $(VENV)/%/.done: requirements/%.txt $(UV)
	@echo "Setting up: the '$*' environment"
	@$(UV) venv -q --clear --python $(PYTHON) $(VENV)/$*
	@VIRTUAL_ENV=$(VENV)/$* $(UV) pip sync -q --require-hashes $<
	@if [ $* = app -o $* = notebook ]; then VIRTUAL_ENV=$(VENV)/$* $(UV) pip install -q --no-deps --no-build-isolation -e .; fi
	@touch $@

.PHONY: check checkov unit test aws-test generate fuzz demo down clean lock
check: setup ## Format, lint, security, types, template and state machine
	ruff format --check .
	ruff check .
	bandit -q -r -c pyproject.toml claimflow contract model container functions workflow desk local
	mypy claimflow contract model container functions workflow desk examples benchmarks docs
	mypy --python-executable $(LOCAL)/bin/python local
	python -m docs.generate --check
	cfn-lint template.yaml
	AWS_DEFAULT_REGION=us-east-1 sam validate --lint

checkov: setup $(CHECKOV)/.done ## Scan the template for what a security team looks for: 300 MB of packages, so no part of check
	@mkdir -p out
	@python -c 'import json; from docs import policies; print(json.dumps(policies.template(), indent=1, default=str))' > out/template.json
	$(CHECKOV)/bin/checkov -f out/template.json --framework cloudformation --compact --quiet --skip-download

unit: setup ## The fast tests only, without the local AWS
	pytest -m "not local_aws"

# These tests, and the programs that they start, show what of the code is reached: measuring all would take too long.
MEASURED := tests/unit tests/container
test: check $(NOTEBOOK)/.done ## Everything: the checks above, then the whole test suite, and how much of the code it reached
	coverage erase
	@mkdir -p out
	@echo "pytest $(MEASURED) runs beside the other tests; what it says stands behind theirs, and meanwhile in out/measured_tests.log."
	@coverage run -m pytest $(MEASURED) > out/measured_tests.log 2>&1 & measured=$$!; \
	  trap 'kill $$measured 2> /dev/null || true' EXIT; \
	  pytest $(addprefix --ignore=,$(MEASURED)) && others=0 || others=$$?; \
	  wait $$measured && own=0 || own=$$?; \
	  cat out/measured_tests.log; exit $$((own || others))
	coverage combine -q
	$(call reached,claimflow contract functions workflow desk,95)
	$(call reached,model container,90)

# reached(folders, least): show the branch coverage of folders; below the least, with the files and lines that are not reached.
reached = @report=$$(coverage report --include="$$(printf '%s/*,' $(1))" --fail-under=$(2)) \
	  && grep TOTAL <<< "$$report" | sed "s|TOTAL|Branch coverage of $(1):|" \
	  || { echo "$$report"; echo "The tests reach less than $(2)% of $(1): the lines and branches above are missing." >&2; exit 1; }

aws-test: setup ## Run the tests marked `aws` on a stack in your AWS account: make aws-test [STACK=claimflow]
	@echo "Four small trainings and five small predictions on the stack $(STACK): about an hour, and a dollar for the default instances."
	CLAIMFLOW_AWS_TEST=$(STACK) pytest -m aws tests/workflow

generate: setup ## Make what is generated: schema, defaults, state machine, tables in docs/
	python -m docs.generate

FILES ?= 10000
fuzz: setup ## Take random files through the whole way: make fuzz [FILES=10000]
	CLAIMFLOW_FUZZ=$(FILES) pytest -q tests/fuzz

demo: setup ## Train and predict on this machine: make demo [TRAIN=file.csv PREDICT=file.csv DESK=1]
	@python -m workflow.demo $(if $(TRAIN),--train "$(TRAIN)") $(if $(PREDICT),--predict "$(PREDICT)") $(if $(DESK),--desk)

.PHONY: transcript
transcript: setup ## Do the first deployment of docs/operations.md on a local AWS, and take what it says into the page
	-pytest -q tests/workflow/test_first_deployment.py
	python -m docs.first_deployment

.PHONY: notebook notebook-pages
notebook: setup $(NOTEBOOK)/.done ## Open Jupyter on the notebooks, on this machine only
	$(NOTEBOOK)/bin/jupyter lab --ServerApp.ip=127.0.0.1 --ServerApp.root_dir=notebooks

notebook-pages: setup $(NOTEBOOK)/.done ## Run the notebooks on a local AWS and render their pages in docs/ (minutes)
	pytest tests/notebooks
	$(NOTEBOOK)/bin/python -m docs.notebooks

ENGINE ?= $(notdir $(shell command -v podman || command -v docker))
STACK ?= claimflow
IMAGE ?= claimflow
REVISION = $(shell git rev-parse --short=12 HEAD)$(shell git diff --quiet HEAD -- contract model container || echo -changed)
# In Docker's own format: SageMaker's model registry refuses OCI manifests, which both programs may write otherwise.
BUILD_podman := build --format docker
BUILD_docker := buildx build --provenance=false --output type=docker
BUILD = $(ENGINE) $(BUILD_$(ENGINE)) $(IMAGE_ARGS)
.PHONY: engine image image-test image-sbom
engine:
	@test -n "$(ENGINE)" || { echo "Neither podman nor docker is installed; install one of them to build the image." >&2; exit 1; }

image: engine ## Build the container image with podman or docker; IMAGE_ARGS adds build arguments
	$(BUILD) -f container/Dockerfile --build-arg REVISION=$(REVISION) -t $(IMAGE) .

image-test: setup engine ## Run the programs inside the image that `make image` built
	@$(ENGINE) image inspect $(IMAGE) > /dev/null 2>&1 || { echo "There is no image $(IMAGE); run make image first." >&2; exit 1; }
	CLAIMFLOW_ENGINE=$(ENGINE) CLAIMFLOW_IMAGE=$(IMAGE) CLAIMFLOW_BUILD="$(BUILD)" pytest tests/image

image-sbom: engine ## List what the image holds, with its licences, in out/image
	$(BUILD) -f container/bom/Dockerfile --build-arg IMAGE=$(IMAGE) -t $(IMAGE)-bom container/bom
	@mkdir -p out/image
	@for file in sbom.cdx.json licences.txt; do \
	  $(ENGINE) run --rm --network none $(IMAGE)-bom cat /bom/$$file > out/image/$$file; echo "out/image/$$file"; done

# The peers' environment is no part of `setup`. PyTorch's CPU build is not on PyPI; a folder that has its wheel does too.
$(BENCHMARKS)/.done lock: export UV_FIND_LINKS ?= https://download.pytorch.org/whl/cpu/torch/
$(BENCHMARKS)/.done: export UV_BUILD_CONSTRAINT := requirements/benchmarks.txt
.PHONY: benchmark benchmark-quick
benchmark: setup $(BENCHMARKS)/.done ## Measure the classifier against its peers (hours): docs/benchmarks.md
	python -m benchmarks run $(BENCHMARK_ARGS)
	python -m benchmarks memory
	python -m benchmarks suspects
	python -m benchmarks publish

QUICK := --datasets banking77,banking77-10 --rounds 1 --output out/benchmarks/quick.json
QUICK_CONTENDERS := claimflow-auto,claimflow-ngram-auto,wordchar-svc,minilm-logistic,fasttext
benchmark-quick: setup $(BENCHMARKS)/.done ## Measure on Banking77 only (minutes): out/benchmarks/benchmarks.md
	python -m benchmarks run $(QUICK) --contenders $(QUICK_CONTENDERS)
	python -m benchmarks publish --output out/benchmarks/quick.json --folder out/benchmarks

down: ## Stop the local AWS
	$(LOCAL)/bin/python -m local down

lock: setup ## Compile the lock files again after a change to a *.in file
	for f in requirements/uv requirements/app requirements/sam requirements/local requirements/notebook requirements/benchmarks requirements/checkov functions/requirements container/requirements container/bom/requirements; do \
	  $(UV) pip compile -q --python-version 3.11 --generate-hashes --no-header $$f.in -o $$f.txt; done

clean: ## Stop the local AWS and remove all that was made, the environments too
	@if [ -x $(LOCAL)/bin/python ]; then $(LOCAL)/bin/python -m local down; fi
	rm -rf .venv .aws-sam .claimflow out .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
