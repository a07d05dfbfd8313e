"""Runs the GPU's checks as a Python that holds little beside torch would: `python -m` this.

Imports find nothing of what reads logs and tables, so no check may need it.
"""

import runpy
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

ABSENT = frozenset(
    (
        *("duckdb", "polars", "pandas", "pyarrow", "wandb", "geopy"),
        *("cv2", "typer", "rich", "sklearn", "scipy", "streamlit"),
        *("matplotlib", "seaborn", "sentence_transformers", "pytest", "hypothesis"),
    )
)


class Plain(PathFinder):
    """Finds everything but what is absent; as if it were not installed, so nobody trips over it."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """None for what is absent."""
        if fullname.partition(".")[0] in ABSENT:
            return None
        return super().find_spec(fullname, path, target)


if __name__ == "__main__":
    sys.meta_path[:] = [Plain if one is PathFinder else one for one in sys.meta_path]
    runpy.run_module("tests.gpu", run_name="__main__", alter_sys=True)
