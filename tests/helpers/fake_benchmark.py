"""A made-up benchmark: three tables, one figure, a few entries. Every claimed value in it is fake."""

from __future__ import annotations

from pathlib import Path

from harness.suite import Benchmark, Entry

HOSTILE = '<script>alert("x")</script> & "Co"'

BENCHMARK = {
    "version": 1,
    "title": "Fake benchmark",
    "seeds": {"smoke": 1, "demo": 1, "paper": 3},
    "datasets": {
        "mgr_dark": {"title": "MGR-Dark", "training_data": "MGR-Dark", "synthetic_note": "Fakes are as dark as 12.34."},
        "nvgesture": {"title": "NvGesture", "training_data": "NvGesture"},
    },
    "sources": {
        "draft": {"title": "A fake draft", "url": "https://example.org/draft"},
        "own": {"title": "A fake paper of a method's own", "url": "https://example.org/own"},
    },
    "table1": {
        "note": "Fake rows.",
        "source": "draft",
        "rows": [
            {
                "dataset": "Fakes",
                "classes": 3,
                "instances": 4321,
                "light": "daylight",
                "distance": "1 m",
                "rgb": "640 x 480",
                "depth": None,
                "ir": None,
            },
        ],
    },
    "tables": [
        {
            "id": "table2",
            "layout": "by_modality",
            "title": "Table 2. Fake methods",
            "caption": "A fake caption.",
            "note": "A fake note.",
            "dataset": "mgr_dark",
            "columns": [{"modality": "rgb", "title": "RGB"}, {"modality": "depth", "title": "Depth"}],
            "claims": [
                {"method": "Plain", "title": "Plain", "backbone": "3D CNN", "remark": "A fake remark."},
                {"method": "Absent", "title": "Absent", "backbone": "3D CNN"},
                {
                    "method": "Student",
                    "title": "Student",
                    "train": ["rgb", "ir"],
                    "test": "rgb",
                    "value": 12.34,
                    "source": "draft",
                },
            ],
        },
        {
            "id": "table3",
            "layout": "by_training",
            "title": "Table 3. Fake modalities",
            "caption": "Another fake caption.",
            "note": "",
            "dataset": "nvgesture",
            "columns": [{"modality": "rgb", "title": "RGB"}, {"modality": "depth", "title": "Depth"}],
            "claims": [
                {
                    "method": "Absent",
                    "title": "Absent",
                    "train": ["rgb", "depth"],
                    "test": "rgb+depth",
                    "value": 21.3,
                    "source": "draft",
                    "corrected": 31.2,
                    "corrected_source": "own",
                    "remark": "Two fake numbers.",
                },
                {
                    "method": "Plain",
                    "title": "Plain",
                    "train": ["rgb"],
                    "test": "rgb",
                    "value": 22.0,
                    "source": "draft",
                },
            ],
        },
        {
            "id": "table4",
            "layout": "rows",
            "title": "Table 4. Fake ablation",
            "caption": "A third fake caption.",
            "note": "",
            "dataset": "mgr_dark",
            "marks": [{"id": "a", "title": "A → B"}, {"id": "b", "title": "B → C"}],
            "rows": [
                {
                    "id": "base",
                    "title": "Base row",
                    "model": "plain_mgr-dark-rgb",
                    "shows": "nothing",
                    "claim": {"value": 45.6, "source": "draft"},
                },
                {
                    "id": "half",
                    "title": "Half row",
                    "model": "student_mgr-dark-rgb",
                    "variant": "half",
                    "overrides": {"model.alpha": 0.25},  # at no point of the sweep
                    "marks": ["a"],
                    "shows": "A",
                },
                {
                    "id": "whole",
                    "title": "Whole row",
                    "model": "student_mgr-dark-rgb",
                    "marks": ["a", "b"],
                    "shows": "B",
                    "claim": {"value": 56.7, "source": "draft"},
                },
                {
                    "id": "light",
                    "title": "Daylight row",
                    "group": "Bounds",
                    "model": "plain_mgr-dark-daylight-rgb",
                    "shows": "darkness",
                },
            ],
        },
    ],
    "figures": [
        {
            "id": "figure6",
            "title": "Figure 6. Fake sweep",
            "caption": "A fake sweep.",
            "dataset": "mgr_dark",
            "model": "student_mgr-dark-rgb",
            "note": "A fake note of a figure.",
            "sweeps": [
                {
                    "id": "alpha",
                    "key": "model.alpha",
                    "title": "alpha, fake",
                    "values": [0.0, 0.9, 1.5],
                    "default": 0.9,
                    "smoke": [0.0, 0.9],
                },
                {
                    "id": "beta",
                    "key": "model.beta",
                    "title": "beta, fake",
                    "values": [0.0, 0.3],
                    "default": 0.3,
                    "smoke": [0.0, 0.3],
                },
            ],
            "grid": {"id": "figure6_grid", "title": "Figure 6, grid. Fake pairs", "caption": "A fake grid."},
            "claim": {"value": 56.7, "source": "draft", "at": {"alpha": 0.9, "beta": 0.3}},
        },
    ],
    "evidence": [
        {
            "id": "evidence",
            "title": "Evidence",
            "caption": "A fake page.",
            "dataset": "mgr_dark",
            "tables": ["table4"],
            "seeds": 5,
            "method": "student_mgr-dark-rgb",
            "baseline": "plain_mgr-dark-rgb",
            "statements": [
                {
                    "question": "Does it help?",
                    "says": "the fake student exceeds the plain network by at least 3 points",
                    "better": "student_mgr-dark-rgb",
                    "than": "plain_mgr-dark-rgb",
                    "points": 3.0,
                },
                {
                    "question": "Does it help?",
                    "says": "the plain network exceeds the fake student",
                    "better": "plain_mgr-dark-rgb",
                    "than": "student_mgr-dark-rgb",
                },
                {
                    "question": "And the rest?",
                    "says": "the half student exceeds the plain network",
                    "better": "student_mgr-dark-rgb+half",
                    "than": "plain_mgr-dark-rgb",
                },
            ],
        }
    ],
}

# name, method, title, stage, data set, training modalities, test modality, metadata
_ENTRIES = [
    ("plain_mgr-dark-rgb", "Plain", "Plain", "single", "mgr_dark", ("rgb",), "rgb", {}),
    ("plain_mgr-dark-depth", "Plain", "Plain", "single", "mgr_dark", ("depth",), "depth", {}),
    ("plain_mgr-dark-daylight-rgb", "Plain", "Plain", "single", "mgr_dark", ("rgb",), "rgb", {"Bound": True}),
    ("plain_nvgesture-rgb", "Plain", "Plain", "single", "nvgesture", ("rgb",), "rgb", {}),
    ("student_mgr-dark-rgb", "Student", "Student", "student", "mgr_dark", ("rgb", "ir"), "rgb", {}),
    ("hostile_mgr-dark-rgb", "Hostile", HOSTILE, "single", "mgr_dark", ("rgb",), "rgb", {}),
    ("hostile_nvgesture-depth", "Hostile", HOSTILE, "single", "nvgesture", ("depth",), "depth", {}),
    ("broken_mgr-dark-rgb", "Broken", "Broken", "single", "mgr_dark", ("rgb",), "rgb", {}),
]


def fake_benchmark() -> Benchmark:
    return Benchmark.model_validate(BENCHMARK)


def fake_entries(folder: Path) -> dict[str, Entry]:
    """Entries with a folder per method, where a README may lie."""
    return {
        name: Entry(
            name=name,
            config=Path(folder) / method.lower() / f"{name}.py",
            method=method,
            title=title,
            stage=stage,
            dataset=dataset,
            train_modalities=train,
            test_modality=test,
            pretrained="https://example.org/weights.pth" if method == "Student" else "none",
            paper={"Title": f"On {method}", "URL": "https://example.org/paper", "Year": 2000},
            metadata={"Architecture": ["Fake"], **metadata},
        )
        for name, method, title, stage, dataset, train, test, metadata in _ENTRIES
    }
