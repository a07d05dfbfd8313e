import subprocess
import sys
from pathlib import Path

import pytest

from data.errors import RunError
from data.store import Store
from model.checkpoint.command_line_name import names_checkpoint, parse_checkpoint_name
from model.checkpoint.predictor import CheckpointPredictor
from replay.candidates.registry import LoadSettings, load
from tests.conftest import ROOT


def test_names(tmp_path: Path) -> None:
    (tmp_path / "a#keep=3").mkdir()
    for name, folder, keep in (
        (f"{tmp_path}", tmp_path, None),
        (f"checkpoint:{tmp_path}#keep=6", tmp_path, 6),
        (f"{tmp_path}#keep=12", tmp_path, 12),
        (f"{tmp_path}/a#keep=3", tmp_path / "a#keep=3", None),
        (f"{tmp_path}/a#keep=3#keep=4", tmp_path / "a#keep=3", 4),
        ("checkpoint:none", Path("none"), None),
    ):
        assert names_checkpoint(name)
        named = parse_checkpoint_name(name)
        assert (named.folder, named.keep) == (folder, keep)
    for name in ("mine:Candidate", "nothing-here", "hf:nothing#x"):
        assert not names_checkpoint(name)


@pytest.mark.parametrize("option", ["keep=0", "keep=-1", "keep=²", "keep=", "views=3"])
def test_other_options_are_refused(tmp_path: Path, option: str) -> None:
    with pytest.raises(RunError, match="expected keep=N"):
        parse_checkpoint_name(f"checkpoint:{tmp_path}#{option}")


def test_command_line_names_load_a_checkpoint(folder: Path, store: Store) -> None:
    for name, expected in (
        (str(folder), "mine on test_vit"),
        (f"checkpoint:{folder}#keep=6", "mine on test_vit, 6 views before the backbone"),
    ):
        candidate = load(name, LoadSettings(store, metadata=True))
        assert isinstance(candidate, CheckpointPredictor)
        assert candidate.name == expected
        assert candidate.wants_metadata
    with pytest.raises(RunError, match=r"--metadata: found safety-orange baseline"):
        load("orange", LoadSettings(store, metadata=True))
    with pytest.raises(RunError, match=r"no model\.json; expected model\.json and"):
        load(str(folder.parent))
    with pytest.raises(RunError, match="checkpoint's folder"):
        load("nothing-here")


def test_naming_a_checkpoint_imports_no_torch() -> None:
    program = "import sys, streetreplay; print({'torch', 'timm', 'sqlite3'} & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
