# Two targets need no reading: `make demo` and `make test`. The others are their steps.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# Servers are installed here, which is not everybody's path.
export PATH := $(PATH):/usr/sbin:/sbin

.PHONY: help demo test setup lint schema schema-check contracts unit docs audit k8s autoscale chaos fuzz bench hot-path

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Build, then run a gateway and a simulated day of five companies; Ctrl-C ends it
	@scripts/demo

test: ## Install what the tests need, build, run every check; ends in a line with counts
	@scripts/test

setup: ## Install what the tests need (apt)
	@scripts/setup test

lint: ## Format and clippy, without mercy
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets --features gateway/benching --quiet -- -D warnings

schema: ## Write shared/schema from the types, and docs/openapi.json from the endpoints
	@cargo run --quiet -p shared --features schema --bin schema -- shared/schema
	@cargo build --quiet -p gateway && $${CARGO_TARGET_DIR:-target}/debug/gateway openapi > docs/openapi.json

schema-check: ## Fail when shared/schema is not what the types say; of docs/openapi.json the tests do
	@cargo run --quiet -p shared --features schema --bin schema -- --check shared/schema

contracts: ## Check docs/asyncapi.yaml and docs/openapi.json: as documents, by golden frames, against a running gateway
	@scripts/check-contracts
	@cargo build --quiet -p gateway
	@scripts/check-api

unit: ## The Rust tests alone
	@cargo test --workspace --quiet

docs: ## Run, compile or parse every code block of the documentation, or of PAGES
	@cargo build --quiet -p gateway -p loadtest -p chaos -p publisher --examples --bins
	@scripts/pwa install
	@scripts/check-pages $(PAGES)

audit: ## Look through the dependencies: advisories, bans, licences, sources
	@scripts/audit

k8s: ## Check the manifests in k8s/ without a cluster
	@cargo build --quiet -p gateway
	@scripts/check-k8s

autoscale: ## Scale real processes by the manifests' rules through a peak of SESSIONS (12000), and draw it
	@scripts/autoscale

chaos: ## Inject faults for MINUTES (10) and judge what was received: nothing lost, nothing twice
	@scripts/chaos

fuzz: ## Run each fuzz target for MINUTES (10); needs cargo-fuzz
	@scripts/fuzz

hot-path: ## Time what every event, token and client frame passes through (criterion)
	@cargo bench --quiet -p gateway --features benching

bench: ## Measure the gateway beside other servers, ROUNDS (3) times in turns; writes docs/benchmarks.md
	@scripts/bench
