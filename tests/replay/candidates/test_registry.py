import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pytest

from data.errors import RunError
from data.store import Store
from replay.candidates import registry
from replay.candidates.registry import (
    CandidateAlias,
    CandidateType,
    load,
    name_on_nodes,
    resolved_name,
)
from tests.conftest import ROOT
from tests.replay.candidates.loaded_candidates import refusal


def _folder_type(description: str) -> CandidateType:
    loader: Any = lambda name, _: f"{description}: {name}"  # noqa: E731
    return CandidateType(description, lambda name: name.startswith("dir"), loader)


OFFERED = (
    _folder_type("first type"),
    _folder_type("second type"),
    CandidateAlias("best", lambda name: name == "best", lambda _, store: f"dir {store}"),
)


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    point = EntryPoint("test", f"{__name__}:OFFERED", registry.ENTRY_POINTS)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    registry.offered_candidates.cache_clear()
    yield
    registry.offered_candidates.cache_clear()


def test_this_project_offers_its_own_by_an_entry_point() -> None:
    values = [point.value for point in entry_points(group=registry.ENTRY_POINTS)]
    assert "model.candidates:CANDIDATES" in values


@pytest.mark.usefixtures("offered")
def test_the_first_type_that_matches_loads_and_an_alias_is_resolved_first() -> None:
    loaded: Any = load("dir 1")
    assert loaded == "first type: dir 1"
    best: Any = load("best")
    assert best == "first type: dir None"
    assert resolved_name("best", Store(Path("mine"))) == f"dir {Store(Path('mine'))}"
    assert resolved_name("dir 1", None) == "dir 1"


@pytest.mark.usefixtures("offered")
def test_nodes_of_a_cluster_have_no_copy_of_a_store_on_a_server(tmp_path: Path) -> None:
    store = Store(tmp_path, "s3://bucket/store")
    assert name_on_nodes("dir 1", store) == "dir 1"
    assert name_on_nodes("best", Store(tmp_path)) == f"dir {tmp_path}"
    named = "s3://bucket/store/models/first"
    assert resolved_name(named, store) == str(tmp_path / "models" / "first")
    with pytest.raises(RunError) as error:
        name_on_nodes(named, store)
    assert str(error.value) == (
        f"--on ray --model {named}: found a model in the store s3://bucket/store, of which nodes "
        "have no copy; expected one under a path that all nodes have; copy it there from "
        f"{tmp_path}/models/first, or leave out --on"
    )


@pytest.mark.usefixtures("offered")
def test_an_unknown_name_lists_all_types() -> None:
    said = refusal("unheard-of")
    assert "one of: first type, second type, best, hf:NAME_OR_DIR" in said
    assert "module:attribute" in said


def test_naming_candidates_costs_no_torch() -> None:
    code = (
        "import sys, model.candidates, replay.candidates.registry, replay.commands.replay;"
        "print({'torch', 'transformers'} & {*sys.modules})"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout == "set()\n"


def test_a_checkpoint_in_a_store_on_a_server_is_named_by_its_url(tmp_path: Path) -> None:
    store = Store(tmp_path, "s3://bucket/store")
    named = resolved_name("s3://bucket/store/models/first#keep=6", store)
    assert named == f"{tmp_path}/models/first#keep=6"
    for other in ("s3://bucket/other/models/first", "orange"):
        assert resolved_name(other, store) == other
