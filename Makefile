# make demo: the main job, end to end. make test: every check and every test. Each sets up what it needs by itself.
.PHONY: demo test check audit setup bundle synth deploy-local picture bench drills clean help
.DEFAULT_GOAL := help

SETUP := .setup/done
RUN := .venv/bin
TRAFFIC ?=
QUICK ?=

# Where it is set, each of the hundreds of processes that tests and the demo start would compile all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

help:
	@echo "make demo                    bundle, run, load, measure, price and compare both lanes on this machine"
	@echo "make demo TRAFFIC=file.csv   the same, priced for your own traffic series (timestamp,value)"
	@echo "make test                    every check and every test"
	@echo "make check                   formatting, lint, types, import contracts"
	@echo "make audit                   known vulnerabilities of every locked package; needs the network"
	@echo "make bench                   CPU per search beside what others would have written, cold start, overload, …: over an hour"
	@echo "make bench QUICK=1           the same in passing: under five minutes, not for quoting"
	@echo "make drills                  rehearse what may go wrong while traffic moves, on a stage in a lab; ROUNDS=10 for the long form"
	@echo "make synth                   synthesize the CDK stacks"
	@echo "make deploy-local            deploy a stage into a local AWS, to look around until Ctrl-C; STAGE=prod for another than dev"
	@echo "make picture                 draw docs/architecture.svg anew from the templates"
	@echo "make clean                   remove what the targets above made"

$(SETUP): pyproject.toml uv.lock package.json package-lock.json scripts/setup scripts/uv.txt
	@scripts/setup

setup: $(SETUP)

demo: $(SETUP)
	@$(RUN)/crossover demo $(if $(TRAFFIC),--traffic "$(TRAFFIC)")

check: $(SETUP)
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/lint-imports

# What times a live stage or the CPU has the machine for itself. The rest computes, or waits for processes and sockets: two files at a
# time, those with a slow test first (tests/conftest.py), lest one of them ends long after the others.
ALONE := tests/drills tests/benchmarks/test_overload.py tests/infra/test_throttled_cpu.py
test: check
	$(RUN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(addprefix --ignore=,$(ALONE))
	$(RUN)/python -m pytest $(ALONE)

audit: $(SETUP)
	@$(RUN)/crossover audit

bundle: $(SETUP)
	@$(RUN)/crossover bundle

synth: $(SETUP)
	npx cdk synth --quiet

STAGE ?= dev
deploy-local: $(SETUP)
	@$(RUN)/crossover lab aws --stage "$(STAGE)"

ROUNDS ?= 1
drills: $(SETUP)
	@$(RUN)/crossover lab drill --rounds "$(ROUNDS)" $(ONLY)

picture: $(SETUP)
	npx cdk synth --quiet -c stage=prod --output out/picture
	$(RUN)/python -m infra.picture out/picture docs/architecture.svg

comma := ,
TLS := --tls --only crossover,go_nethttp$(if $(QUICK),,$(comma)go_fasthttp) --json benchmarks/out/fanout_tls.json
bench: $(SETUP)
	scripts/bench fanout $(if $(QUICK),--quick)
	scripts/bench fanout $(if $(QUICK),--quick) $(TLS)
	scripts/bench cold_start $(if $(QUICK),--quick)
	scripts/bench hedging $(if $(QUICK),--quick)
	scripts/bench overload $(if $(QUICK),--quick)
	scripts/bench telemetry $(if $(QUICK),--quick)
	scripts/bench cache $(if $(QUICK),--quick)
	scripts/bench recycle $(if $(QUICK),--quick)
	scripts/bench consolidation $(if $(QUICK),--quick)
	scripts/bench article $(if $(QUICK),--quick)
	scripts/bench simulation $(if $(QUICK),--quick)
	$(if $(QUICK),,scripts/bench synth)
	$(if $(QUICK),,scripts/bench lambda_memory)

clean:
	rm -rf .venv .setup node_modules out cdk.out
