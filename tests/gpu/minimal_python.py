"""Runs the GPU checks as in a Python without the libraries that read logs and tables.

Start with `python -m tests.gpu.minimal_python`: imports of those libraries fail.
"""

import runpy
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

ABSENT = frozenset(
    (
        "duckdb",
        "polars",
        "pandas",
        "pyarrow",
        "wandb",
        "geopy",
        "cv2",
        "typer",
        "rich",
        "sklearn",
        "scipy",
        "streamlit",
        "matplotlib",
        "seaborn",
        "sentence_transformers",
        "pytest",
        "hypothesis",
    )
)


class MinimalFinder(PathFinder):
    """Finds everything but `ABSENT`, as if that were not installed."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a module is; None for what is absent."""
        if fullname.partition(".")[0] in ABSENT:
            return None
        return super().find_spec(fullname, path, target)


if __name__ == "__main__":
    sys.meta_path[:] = [
        MinimalFinder if finder is PathFinder else finder for finder in sys.meta_path
    ]
    runpy.run_module("tests.gpu", run_name="__main__", alter_sys=True)
