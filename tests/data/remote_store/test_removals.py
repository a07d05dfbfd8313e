"""What work removes here is removed on the server, whichever process fetches or sends next."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from data.progress import silent
from data.remote_store.kept_files import is_report
from data.remote_store.place import store_place
from data.remote_store.sending import send
from tests.data.remote_store.machines import STORED, Machine, stored


def test_what_is_removed_by_work_is_removed_everywhere(here: Machine, there: Machine) -> None:
    here.work(runs__a_json="0", runs__b_json="0", models__m_json="0")
    there.fetch()
    (there.root / "runs" / "a.json").unlink()
    (there.root / "models" / "m.json").unlink()
    there.send()
    here.fetch()
    assert here.files == {"runs/b.json": "0"}


def test_a_page_that_fetches_beside_work_brings_nothing_back(
    memory: Any, here: Machine, there: Machine
) -> None:
    here.work(models__first__UNFINISHED="", runs__t__state_pt="epoch 3")
    training, page = (Machine(there.copy.folder.path) for _ in range(2))
    training.fetch()
    (training.root / "models" / "first" / "UNFINISHED").unlink()
    (training.root / "runs" / "t" / "state.pt").unlink()
    training.write("models/first/model.json", "whole")
    page.fetch()
    training.send()
    assert training.files == {"models/first/model.json": "whole"}
    assert stored(memory) == ["models/first/model.json"]
    here.fetch()
    assert here.files == training.files


def test_a_removal_that_was_not_sent_is_sent_by_the_next_process(
    memory: Any, here: Machine
) -> None:
    here.work(runs__r__run_json="0", runs__r__parts__p0_parquet="old")
    (here.root / "runs" / "r" / "parts" / "p0.parquet").unlink()
    assert here.copy.has_unsent
    after_a_kill = Machine(here.copy.folder.path)
    after_a_kill.fetch()
    assert after_a_kill.files == {"runs/r/run.json": "0"}
    after_a_kill.send()
    assert not after_a_kill.copy.has_unsent
    assert stored(memory) == ["runs/r/run.json"]


def test_of_who_sends_reports_no_run_is_removed(memory: Any, here: Machine) -> None:
    here.work(runs__a_json="0", audits__a_json="0")
    for folder in ("runs", "audits"):
        (here.root / folder / "a.json").unlink()
    send(here.copy.folder, silent, is_report)
    assert stored(memory) == ["runs/a.json"]


def test_what_another_changed_is_not_removed(here: Machine, there: Machine) -> None:
    here.work(runs__a_json="0")
    there.fetch()
    here.work(runs__a_json="1")
    (there.root / "runs" / "a.json").unlink()
    there.send()
    there.fetch()
    assert there.read("runs/a.json") == "1"


def remade(root: Path) -> None:
    shutil.rmtree(root)
    root.mkdir()


def without_runs(root: Path) -> None:
    shutil.rmtree(root / "runs")


@pytest.mark.parametrize("loses", [shutil.rmtree, remade, without_runs])
def test_a_folder_that_is_gone_is_lost_and_no_removal(
    memory: Any, here: Machine, monkeypatch: pytest.MonkeyPatch, loses: Any
) -> None:
    """Also where a process makes it anew, or a fetch into the new one breaks off."""
    here.work(runs__a_json="0", runs__b_json="0", warehouse_duckdb="0")
    before = stored(memory)
    loses(here.root)
    here.send()
    assert stored(memory) == before
    with monkeypatch.context() as patch:
        patch.setattr(type(memory), "get_file", None)
        with pytest.raises(Exception, match="found"):
            here.fetch()
    here.send()
    assert stored(memory) == before
    here.work()
    assert stored(memory) == before
    assert here.files == {"runs/a.json": "0", "runs/b.json": "0", "warehouse.duckdb": "0"}


def test_the_warehouse_is_removed_by_nobody(memory: Any, here: Machine) -> None:
    here.work(warehouse_duckdb="0", runs__a_json="0")
    (here.root / "warehouse.duckdb").unlink()
    here.send()
    here.fetch()
    assert here.read("warehouse.duckdb") == "0"
    assert stored(memory) == ["runs/a.json", "warehouse/00000001.duckdb"]


def test_names_are_no_patterns(memory: Any, here: Machine, tmp_path: Path) -> None:
    odd = Machine(tmp_path / "odd", store_place(f"memory:/{STORED}/[ab]*"))
    for machine in (here, odd):
        machine.fetch()
        for name in ("a[bc]", "ab", "ac", "a*", "a?"):
            machine.write(f"models/{name}/w.bin", name)
        machine.send()
        for name in ("a[bc]", "a*", "a?"):
            shutil.rmtree(machine.root / "models" / name)
        machine.send()
        assert sorted(machine.files) == ["models/ab/w.bin", "models/ac/w.bin"]
    below = [f"{top}models/{name}/w.bin" for top in ("[ab]*/", "") for name in ("ab", "ac")]
    assert stored(memory) == below
