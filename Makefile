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

$(APP)/.done $(SAM)/.done $(LOCAL)/.done: $(VENV)/%/.done: requirements/%.txt $(UV) pyproject.toml
	@echo "Setting up: the '$*' environment"
	@$(UV) venv -q --clear --python $(PYTHON) $(VENV)/$*
	@VIRTUAL_ENV=$(VENV)/$* $(UV) pip sync -q --require-hashes $<
	@if [ $* = app ]; then VIRTUAL_ENV=$(APP) $(UV) pip install -q --no-deps --no-build-isolation -e .; fi
	@touch $@
