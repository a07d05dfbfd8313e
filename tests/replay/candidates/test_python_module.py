import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from analytics.queries.user_sql import query
from data.errors import RunError
from data.store import Store
from replay.candidates.predictor import known_keys, training_rows
from replay.candidates.python_module_sources import source_sha256
from replay.candidates.registry import load
from replay.plans.plan import plan
from replay.runs.run import replay
from tests.replay.candidates.loaded_candidates import MINE, answers, pictures, refusal
from tests.worlds.stores import LEVEL_0, World, encoded, picture, write_shard


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder with a user's modules, forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "my_model.py").write_text(MINE)
    (tmp_path / "my_broken.py").write_text("1 / 0\n")
    (tmp_path / "my_script.py").write_text("raise SystemExit('usage')\n")
    (tmp_path / "my_needy.py").write_text("import not_installed_at_all\n")
    (tmp_path / "my_typo.py").write_text("def (:\n")
    for module in [name for name in sys.modules if name.startswith("my_")]:
        monkeypatch.delitem(sys.modules, module)


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize("attribute", ["Mine", "mine", "make", "Nested.mine", "Fed"])
def test_a_class_an_object_or_a_factory_of_a_module_is_a_candidate(attribute: str) -> None:
    model = load(f"my_model:{attribute}")
    assert model.name == "mine"
    assert re.fullmatch("1 source [0-9a-f]{64}", model.fingerprint)
    assert model.wants_metadata == (attribute == "Fed")
    assert answers(model, pictures(3)).tolist() == [0.25] * 3


@pytest.mark.usefixtures("mine")
def test_a_candidate_of_a_module_may_name_its_training_rows() -> None:
    assert training_rows(load("my_model:Mine")) is None
    assert training_rows(load("my_model:Trained")) == Path("rows.csv")


@pytest.mark.usefixtures("mine")
def test_a_candidate_of_a_module_may_say_which_images_it_knows() -> None:
    assert known_keys(load("my_model:Mine")) is None
    ask = known_keys(load("my_model:Knows"))
    assert ask is not None
    assert ask(["a", "b"]) == {"a"}
    wrong = known_keys(load("my_model:KnowsNot"))
    assert wrong is not None
    with pytest.raises(RunError, match="known_keys of my_model:KnowsNot: found TypeError"):
        wrong(["a"])


@pytest.mark.usefixtures("mine")
def test_a_candidate_of_a_module_may_name_its_precision(
    store: Store, record: dict[str, Any]
) -> None:
    world = World(store, record)
    write_shard(store.sources, [encoded(picture((32, 24)))])
    world.ask(0, size=(32, 24), **LEVEL_0)
    planned = plan(world.ingest(), world.shards)
    for attribute, expected in (("Mine", "float32"), ("Halved", "bfloat16")):
        report = replay(store, load(f"my_model:{attribute}"), planned, world.shards)
        described = json.loads((store.runs / report.run_id / "run.json").read_text("utf-8"))
        assert described["made_by"]["precision"] == expected


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("my_absent:Mine", "no module 'my_absent'"),
        ("my_absent.part:Mine", "no module 'my_absent'"),
        ("my_model:Nobody", "no 'Nobody' in /"),
        ("my_model:Nested.nobody", "no 'Nested.nobody' in /"),
        ("my_broken:Mine", "ZeroDivisionError: division by zero"),
        ("my_script:Mine", "SystemExit: usage"),
        ("my_needy:Mine", "ModuleNotFoundError: No module named 'not_installed_at_all'"),
        ("my_typo:Mine", "SyntaxError"),
        ("my_model:needs", "TypeError: needs() missing 1 required positional argument"),
        ("my_model:leaves", "SystemExit: 3"),
        ("my_model:number", "found no name, no fingerprint, no wants_metadata, no predict"),
        ("my_model:Mute", "found no fingerprint, no wants_metadata, no predict method"),
        ("my_model:Nameless", "found name ''"),
        ("my_model:Vague", "found wants_metadata 'no'"),
        ("my_model:Misled", "training_rows of mine: found a str; expected a pathlib.Path, or None"),
        ("my_model:Dim", "precision of mine: found a float; expected text"),
        ("my_model:Unhashed", "fingerprint of my_model:Unhashed: found OSError: gone"),
        ("my_model:", "expected module:attribute"),
        (":Mine", "expected module:attribute"),
        ("my model:Mine", "expected module:attribute"),
        ("C:\\model", "expected module:attribute"),
    ],
)
def test_what_is_no_candidate_is_refused_in_one_line(name: str, said: str) -> None:
    assert said in refusal(name)


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("attribute", "said"),
    [
        ("Raises", "predict of my_model:Raises: found ValueError: no luck"),
        ("Short", r"found shape \(1,\); expected \(2,\)"),
        ("Bare", "found a ndarray; expected replay.candidates.predictor.Predictions"),
    ],
)
def test_what_a_candidate_raises_or_gets_wrong_is_one_line(attribute: str, said: str) -> None:
    model = load(f"my_model:{attribute}")
    with pytest.raises(RunError, match=said):
        answers(model, pictures(2))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A candidate that imports its project's modules in every way that Python knows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    files = {
        "my_entry.py": "import os, numpy\nimport my_lib.deep.one\nfrom my_flat import *\n"
        "from my_names import value\ndef f():\n    from my_lib import late\n    import my_absent\n",
        "my_flat.py": "from replay.candidates.predictor import Predictions\n",
        "my_names/value.py": "",
        "my_lib/__init__.py": "",
        "my_lib/deep/__init__.py": "from . import two\n",
        "my_lib/deep/one.py": "from ..sibling import x\nfrom ... import nothing\n",
        "my_lib/deep/two.py": "import my_entry\n",
        "my_lib/late.py": "def (:\n",
        "my_lib/sibling.py": "x = 1\n",
        "my_lib/unused.py": "",
        "my_data.csv": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


USED = (
    "my_entry.py",
    "my_flat.py",
    "my_names/value.py",
    "my_lib/__init__.py",
    "my_lib/late.py",
    "my_lib/deep/__init__.py",
    "my_lib/deep/one.py",
    "my_lib/deep/two.py",
    "my_lib/sibling.py",
)


@pytest.mark.parametrize("edited", [*USED, "my_lib/unused.py", "my_data.csv"])
def test_the_source_of_a_candidate_is_all_of_its_project_that_it_imports(
    project: Path, edited: str
) -> None:
    before = source_sha256("my_entry")
    assert source_sha256("my_entry") == before
    with (project / edited).open("a") as stream:
        stream.write("# edited\n")
    assert (source_sha256("my_entry") != before) == (edited in USED)
    assert "my_entry" not in sys.modules


@pytest.mark.usefixtures("mine")
def test_an_edited_candidate_is_not_given_its_old_answers(
    tmp_path: Path, store: Store, record: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(store, record)
    write_shard(store.sources, [encoded(picture((64, 48)))])
    world.ask(0, size=(64, 48), **LEVEL_0)
    planned = plan(world.ingest(), world.shards)
    runs = set()
    for answer in ("0.25", "0.75000"):
        (tmp_path / "my_model.py").write_text(MINE.replace("0.25", answer))
        monkeypatch.delitem(sys.modules, "my_model", raising=False)
        report = replay(store, load("my_model:Mine"), planned, world.shards)
        runs.add(report.run_id)
        rows = query(store, "SELECT run_id, probability FROM replay_predictions").rows
        assert (report.run_id, float(answer)) in rows
    assert len(runs) == 2
