# Each target makes what it needs first, and may be interrupted and run again. `make` alone lists them.
PYTHON ?= python3
PORT ?= 8000
PIP := .venv/bin/python -m pip install --disable-pip-version-check
RUN := .venv/bin/python
QUICK := tests/text/test_contributing.py tests/text/test_languages.py tests/text/test_notebooks.py \
  tests/text/test_tables.py::test_every_term_is_named tests/text/test_tables.py::test_every_reference_is_cited

.PHONY: help book serve weigh check test mutate slips notebooks equations results numbers acknowledge lab set-repo \
  zip pdf wheel links rooms

help:
	@echo "make book         build both languages into _build/html (needs no torch)"
	@echo "make serve        build, then serve the book on http://127.0.0.1:$(PORT)"
	@echo "make weigh        build, then print what each page weighs and how fast it is"
	@echo "make check        find most slips in half a minute: style, notebooks, languages, terms, spelling"
	@echo "make test         run every test and every notebook"
	@echo "make mutate       make slips in equations and losses, and see whether the tests notice"
	@echo "make slips        alter scripts of explorers and pages, and see whether the tests notice (half an hour)"
	@echo "make notebooks    execute the chapters and store their outputs in both languages"
	@echo "make equations    prove every displayed equation and write the marks that the book shows"
	@echo "make results      run the experiments behind the numbers, from where they stopped (hours)"
	@echo "make numbers      fill the measured numbers of the prose from experiments/results.json"
	@echo "make acknowledge  record that both languages of every changed page agree"
	@echo "make lab          open the chapters in JupyterLab"
	@echo "make zip          build, then pack the book into one zip that needs no installation"
	@echo "make pdf          build, then print each language into one PDF, by Chromium or Chrome"
	@echo "make wheel        build genlib's wheel into dist/"
	@echo "make links        ask every other site that the book links to whether the page is still there"
	@echo "make rooms        run every notebook alone, in environments with other versions (an hour)"
	@echo "make set-repo URL=https://github.com/OWNER/NAME  carry the repository's address everywhere"

book: .venv/.book
	@$(RUN) book/build.py

serve: book
	@$(RUN) book/serve.py $(PORT)

weigh: .venv/.all book
	$(RUN) book/weigh.py

check: export OMP_NUM_THREADS = 1
check: .venv/.all
	@$(RUN) -m ruff check --quiet .
	@$(RUN) -m pytest -q $(QUICK) -k "not execute and not keeps_its_files" # these two start kernels

test: export OMP_NUM_THREADS = 1
test: .venv/.all
	$(RUN) -m ruff check .
	$(RUN) -m pytest -n 2 --dist loadfile --nbval

mutate: export OMP_NUM_THREADS = 1
mutate: .venv/.all
	PYTHONPATH=book:tests/library:tests/text $(RUN) tests/mutate.py

slips: export OMP_NUM_THREADS = 1
slips: .venv/.all
	$(RUN) tests/slips.py

notebooks: .venv/.all
	$(RUN) book/execute.py

equations: .venv/.all
	PYTHONPATH=book:tests $(RUN) -m equations.results

results: .venv/.all
	$(RUN) experiments/run.py

numbers: .venv/.all
	$(RUN) book/fill_numbers.py

acknowledge: .venv/.all
	$(RUN) book/languages.py acknowledge

lab: .venv/.all
	.venv/bin/jupyter lab notebooks

zip: book
	@$(RUN) book/archive.py

pdf: .venv/.all book
	@$(RUN) book/pdf.py

wheel: .venv/.book
	$(RUN) -m pip wheel --disable-pip-version-check --no-deps --wheel-dir dist .

links: .venv/.book
	$(RUN) book/links.py

rooms: .venv/.all
	$(RUN) tests/rooms.py

set-repo: # what is given on make's command line is in the environment
	@$(PYTHON) book/set_repo.py "$$URL" $$REF

# The hidden files are written last, so that an interrupted installation is repeated.
.venv/.made:
	@$(PYTHON) -c 'import sys; v = sys.version.split()[0]; sys.exit(None if sys.version_info >= (3, 11) else \
	  "This book needs Python 3.11 or newer, and $(PYTHON) is %s: make PYTHON=python3.12, say." % v)'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.book: book/requirements.txt | .venv/.made
	@echo "Installing what the book needs into .venv"
	@$(PIP) --quiet -r book/requirements.txt
	@touch $@

.venv/.all: requirements.txt book/requirements.txt pyproject.toml | .venv/.made
	$(PIP) -r requirements.txt
	@touch $@ .venv/.book
