# make run    set up everything and run the platform (PORT=8000 HOST=127.0.0.1)
# make test   install what the tests need and run them all
PORT ?= 8000
HOST ?= 127.0.0.1
PY := .venv/bin/python

.PHONY: run test check benchmark lock translations

run:
	@.ci/venv
	@$(PY) manage.py serve --host $(HOST) --port $(PORT)

test:
	@.ci/system-packages
	@.ci/venv --dev
	@.ci/test

benchmark:
	@.ci/system-packages
	@.ci/venv --dev
	@$(PY) -m tests.benchmarks.run

# Pin every package with its digest. Needs uv and a package index.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --extra demo pyproject.toml -o config/requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --extra demo --extra dev -c config/requirements.txt \
	  pyproject.toml -o config/requirements-dev.txt

# Take new strings into the catalogue; translate them there.
translations:
	$(PY) manage.py makemessages -l zh_Hans --no-wrap --no-location --no-obsolete \
	  -i .venv -i 'static/vendor/*' -i 'tests/*' -i 'leaderboard/demo/*' -i '.data/*'
	$(PY) manage.py compile_translations
