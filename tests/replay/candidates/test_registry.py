import subprocess
import sys

import pytest

from replay.candidates.registry import load, register
from tests.conftest import ROOT
from tests.replay.candidates.loaded_candidates import refusal


def test_registered_names_come_first_and_an_unknown_one_lists_all_types(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("replay.candidates.registry._loaders", {})
    monkeypatch.setattr("replay.candidates.registry._types", [])
    register({"hf:offered": lambda: "it"})  # type: ignore[dict-item, return-value]
    assert load("hf:offered") == "it"  # type: ignore[comparison-overlap]
    said = refusal("unheard-of")
    assert "one of: hf:offered; or hf:NAME_OR_DIR" in said
    assert "module:attribute" in said


def test_naming_candidates_costs_no_torch() -> None:
    code = (
        "import sys, replay.candidates.registry, replay.commands.replay;"
        "print({'torch', 'transformers'} & {*sys.modules})"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout == "set()\n"
