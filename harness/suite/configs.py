"""Where configs lie: those that came with the harness, and a folder of the user's own.

A user's folder adds its methods to the packaged ones. A folder with ``_base_/profiles`` of its own, such as a copy of
``mm_configs``, stands alone.
"""

from __future__ import annotations

from pathlib import Path

from harness import PACKAGED_CONFIGS
from harness.errors import unknown_name
from harness.suite.benchmark import Benchmark, load_benchmark
from harness.suite.entries import Entry, load_entries
from harness.suite.references import check_references

PROFILES = Path("_base_") / "profiles"


def folders(configs: Path) -> tuple[Path, ...]:
    """The folders whose methods make the suite of ``--configs``."""
    configs = Path(configs)
    alone = (configs / PROFILES).is_dir() or configs.resolve() == PACKAGED_CONFIGS
    return (configs,) if alone else (PACKAGED_CONFIGS, configs)


def profiles_of(configs: Path) -> dict[str, Path]:
    """Every profile of the suite and its file."""
    return {p.stem: p for p in sorted((folders(configs)[0] / PROFILES).glob("*.py"))}


def benchmark_file(configs: Path) -> Path:
    """The user's own ``benchmark.yml`` where there is one, else the packaged one."""
    own = Path(configs) / "benchmark.yml"
    return own if own.is_file() or len(folders(configs)) == 1 else PACKAGED_CONFIGS / "benchmark.yml"


def title_of_clips(dataset: str, title: str, synthetic: bool, classes: int, subjects: int) -> str:
    """What clips in the place of a packaged data set are called, as pages do: by its title where they are synthetic, or
    by their numbers those that were published.

    Args:
        dataset: its name. title: of the data set whose layout they have, with what else was read.
    """
    declared = load_benchmark(PACKAGED_CONFIGS / "benchmark.yml").datasets.get(dataset)
    if synthetic or declared is None or not declared.is_other(classes, subjects):
        return title
    return f"clips in the layout of {title}"


def load_suite(configs: Path) -> tuple[Benchmark, dict[str, Entry]]:
    """The benchmark and all entries.

    Raises:
        ValueError: a file of them is malformed, or a folder holds no entry. FileNotFoundError: no benchmark file.
    """
    benchmark = load_benchmark(benchmark_file(configs))
    entries = load_entries(folders(configs), benchmark)
    profiles = profiles_of(configs)
    for entry in entries.values():
        starts = [start.profile for start in entry.start]
        for field, names in (
            ("Optional At", entry.optional_at),
            ("Protocol At", entry.protocol_at),
            ("Starting Weights: Profile", starts),
        ):
            for name in names:
                if name not in profiles:
                    where = f"{entry.config.parent / 'metafile.yml'}: model '{entry.name}' or its collection: {field}"
                    raise ValueError(f"{where}: {unknown_name('profile', name, profiles)}")
    try:
        check_references(benchmark, entries, profiles)
    except ValueError as e:
        raise ValueError(f"{benchmark_file(configs)}: {e}") from None
    return benchmark, entries
