# The commands of the README and of .ci/run under short names. They run in the environment that is active.
.PHONY: lint type test demo docs

lint:
	ruff check .
	ruff format --check .
	lint-imports

type:
	mypy

test:
	pytest -n 2 --dist worksteal

demo:
	python -m harness run-all

docs:
	mkdocs build --strict
