# make demo [SEQUENCE=path]   map, node, camera stream, table and picture
# make test                   the tests            make check   style and types
# make clean                  remove what was set up
SHELL := /bin/bash
IN_ENV := . scripts/env.sh &&
SEQUENCE ?=

.PHONY: help env demo test check format clean

help:
	@sed -n 's/^# make/make/p' Makefile

env:
	@scripts/setup_env.sh

demo: env
	@$(IN_ENV) python -m dsm_ros.demo $(if $(SEQUENCE),--sequence "$(SEQUENCE)") --out out/demo

test: env
	@$(IN_ENV) pytest

check: env
	@$(IN_ENV) ruff check . && ruff format --check . && mypy dsm_ros

format: env
	@$(IN_ENV) ruff check --fix . && ruff format .

clean:
	rm -rf .env out
