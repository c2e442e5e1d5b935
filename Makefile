# Every target is a thin call of `python -m fengxiang …`; on Windows, without make, type that instead.
PYTHON ?= python3
RAW ?=
OUT ?=
CODEBOOK ?=
SIZES ?=
NAME ?=
NOTEXT ?=
SHEET ?=
VENV := .venv
BIN := $(if $(filter Windows_NT,$(OS)),$(VENV)/Scripts,$(VENV)/bin)
FX := $(BIN)/python -m fengxiang
WHERE := $(if $(RAW),--raw "$(RAW)") $(if $(OUT),--out "$(OUT)") $(if $(CODEBOOK),--codebook "$(CODEBOOK)")

.PHONY: help env report build kit check test lab codebook gold freeze reproduce bench fuzz lock sbom audit clean
help:      ## this page (the default)
	@$(PYTHON) -m fengxiang targets
$(VENV)/ready: requirements.lock
	@$(PYTHON) -m fengxiang env
env: $(VENV)/ready                ## only the environment, in .venv/
report: $(VENV)/ready             ## everything: tables, notebooks, figures, report/index.html and index.en.html
	@$(FX) report $(WHERE) $(if $(NOTEXT),--no-text)
build: $(VENV)/ready              ## the tables only
	@$(FX) build $(WHERE)
kit: $(VENV)/ready                ## every figure in every size, and the office files
	@$(FX) kit $(WHERE)
check: $(VENV)/ready              ## whether a report and what it was made from are as its manifest has them
	@$(FX) check $(WHERE)
test: $(VENV)/ready               ## the whole test suite
	@$(FX) test
lab: $(VENV)/ready                ## JupyterLab on the notebooks
	@$(FX) lab $(WHERE)
codebook: $(VENV)/ready           ## what each pattern of the codebook finds, hides and would change
	@$(FX) codebook $(WHERE)
gold: $(VENV)/ready               ## a sheet of statements to code by hand; read it back with make gold SHEET=…
	@$(FX) gold $(WHERE) $(if $(SHEET),--read "$(SHEET)")
freeze: $(VENV)/ready             ## keep the present report under a name: make freeze NAME=2026-02
	@$(FX) freeze "$(NAME)" $(WHERE)
reproduce: $(VENV)/ready          ## count the numbers of a frozen report again: make reproduce NAME=2026-02
	@$(FX) reproduce "$(NAME)" $(WHERE)
bench: $(VENV)/ready              ## the benchmark, printed and written to benchmarks/results.md
	@$(FX) bench $(if $(SIZES),--sizes "$(SIZES)")
fuzz: $(VENV)/ready               ## try to break the readers and the build; written to benchmarks/fuzz.md
	@$(FX) fuzz
lock:                             ## resolve pyproject.toml into requirements.lock (needs uv)
	@$(PYTHON) -m fengxiang lock
sbom:                             ## a bill of materials of what is locked: build/sbom.cdx.json (CycloneDX)
	@$(PYTHON) -m fengxiang sbom
audit:                            ## ask whether a locked package is known to be vulnerable (needs pip-audit)
	@$(PYTHON) -m fengxiang audit
clean:                            ## remove everything that was built (not the environment, not vintages)
	@$(PYTHON) -m fengxiang clean $(WHERE)
