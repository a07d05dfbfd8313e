import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from analytics.ingest.ingest import ingest
from analytics.leaks.training_overlap import challenge_overlap
from analytics.leaks.training_rows import read_training_rows
from analytics.queries.user_sql import query
from analytics.warehouse.connection import reading
from data.errors import StoreError
from data.store import STORE_VARIABLE, Store
from model.checkpoint.checkpoint import load_checkpoint
from model.demo.run import run_demo
from model.demo.settings import MODEL
from model.demo.text import first_result_lines, next_commands, page_command, report_lines
from model.demo.world import check_free
from model.metadata.encoder import MetadataEncoder
from model.network.fusion import GatedFusion
from replay.candidates.predictor import TRAINING_ROWS
from tests.conftest import ROOT
from tests.model.optimization.known_costs import costs_are_known
from tests.worlds.small_demo import SMALL_DEMO, SmallDemo, silence, small_demo


@pytest.fixture(autouse=True, scope="module")
def memory_is_known() -> Iterator[None]:
    with costs_are_known():
        yield


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> SmallDemo:
    return small_demo(tmp_path_factory)


def test_the_demo_ingests_replays_compares_and_trains(demo: SmallDemo) -> None:
    model, against = demo.report.model, demo.report.against
    assert demo.first == [demo.report.first]
    assert demo.report.first.challenges == SMALL_DEMO.challenges
    assert demo.report.first.orange.candidate.n == model.candidate.n > 5
    assert model.left_out.keys() == {"synthetic source"}
    assert model.exact > 5
    assert model.distributions > 5
    assert model.candidate.n + sum(model.left_out.values()) == SMALL_DEMO.challenges
    assert len(model.miners) >= 10
    assert model.overlap_checked
    assert against.n == model.candidate.n
    assert (against.run.model, against.other.model) == (
        "demo on test_resnet",
        "safety-orange baseline",
    )
    check_free(demo.store)
    assert query(demo.store, "SELECT count(*) FROM rejects").rows == [(0,)]


def test_the_full_model_is_trained_on_rows_that_no_challenge_uses(demo: SmallDemo) -> None:
    folder = demo.store.models / MODEL
    kept = load_checkpoint(folder)
    assert kept.backbone  # it was trained too
    assert {type(part) for part in kept.model.children()} >= {GatedFusion, MetadataEncoder}
    rows = read_training_rows(folder / TRAINING_ROWS)
    assert rows.height == 2 * SMALL_DEMO.training.scenes
    with reading(demo.store) as connection:
        assert not challenge_overlap(connection, rows)["overlaps"].any()
        gates = connection.execute(
            "SELECT count(DISTINCT view), min(gate), max(gate) FROM replay_gates"
        ).fetchall()
    [(views, low, high)] = gates
    assert views == 12
    assert 0 <= low < high <= 1


def test_it_is_the_same_every_time_and_another_one_in_its_store_starts_over(
    demo: SmallDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    other = run_demo(store, silence, replace(SMALL_DEMO, challenges=50))
    assert other.model.candidate.n < demo.report.model.candidate.n
    assert query(store, "SELECT count(*) FROM media").rows == [(50,)]
    again = run_demo(store, silence, SMALL_DEMO)
    assert (again.model, again.against) == (demo.report.model, demo.report.against)
    assert again.first == demo.report.first
    shards = [sorted(each.sources.iterdir()) for each in (store, demo.store)]
    assert [path.read_bytes() for path in shards[0]] == [path.read_bytes() for path in shards[1]]

    # a second one draws and trains nothing again
    def drawn_again(*_: object) -> None:
        raise AssertionError("a scene is drawn again")

    monkeypatch.setattr("data.scenes.parquet.scene_row", drawn_again)
    monkeypatch.setattr("model.training.train._train", drawn_again)
    second = run_demo(store, silence, SMALL_DEMO)
    assert (second.model, second.against) == (demo.report.model, demo.report.against)


def test_the_demo_refuses_a_store_of_other_data(store: Store) -> None:
    check_free(store)
    ingest(store, [ROOT / "data" / "sample" / "media_record.json"])
    with pytest.raises(StoreError, match=r"media_record.json.*--store"):
        check_free(store)


def test_the_demo_refuses_a_store_of_other_shards(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.sources.mkdir()
    (store.sources / "train-00000-of-00026.parquet").write_bytes(b"")
    with pytest.raises(StoreError, match=r"train-00000-of-00026\.parquet"):
        check_free(store)


def test_what_is_said_fits_a_screen_and_says_what_it_is_not(demo: SmallDemo) -> None:
    first, results = first_result_lines(demo.report.first, demo.store), report_lines(demo.report)
    assert len(results) <= 10
    assert max(map(len, first + results)) <= 160
    text = "\n".join(results)
    model, orange = demo.report.model, demo.report.first.orange
    assert model.mcc_interval is not None
    for comparison in (model, orange):
        rank = comparison.ranks["mcc"]
        assert f"MCC {comparison.candidate.mcc:.2f} (95% interval" in text
        assert f"rank {rank.rank} of {rank.of}" in text
    for word in ("best miner", "median miner", "simulated", "drawn", "does not show"):
        assert word in text
    assert "simulated" in first[0]
    assert first[-1].endswith(page_command(demo.store))


def test_the_next_commands_work_as_printed(
    demo: SmallDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the shell that started the demo, whose PATH need not lead to us."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv(STORE_VARIABLE)
    store = Store(shutil.copytree(demo.store.root, tmp_path / "store"))
    *commands, page = next_commands(store)
    for command in [*commands, page.replace(" run ", " run --help ")]:
        done = subprocess.run(  # noqa: S602  (a shell is what they are for)
            command.replace("--out out", f"--out {tmp_path / 'out'}"),
            shell=True,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (command, done.stderr)


@pytest.mark.slow
def test_after_the_warm_up_the_first_result_compiles_nothing(tmp_path: Path) -> None:
    """Counted in a process of its own, whose compiled functions are kept nowhere else."""
    program = f"""
import sys
from pathlib import Path
from numba.core.dispatcher import Dispatcher
from data.store import Store
from model.demo.warm_up import STEPS, warm_up
from model.demo.run import run_demo
from tests.model.optimization.known_costs import costs_are_known
from tests.worlds.small_demo import SMALL_DEMO, silence

if __name__ == "__main__":
    made, compile_one = [], Dispatcher.compile
    def counted(self, signature):
        before = sum(self.stats.cache_misses.values())
        compiled = compile_one(self, signature)
        if sum(self.stats.cache_misses.values()) > before:
            made.append((self.py_func.__qualname__, signature))
        return compiled
    Dispatcher.compile = counted
    store = Store(Path({str(tmp_path / "store")!r}))
    with warm_up(store) as wait_for:
        for step in STEPS:
            wait_for(step)
        def stop(first):
            print(made)
            sys.exit(0)
        run_demo(store, silence, SMALL_DEMO, on_first_result=stop)
"""
    script = tmp_path / "counted.py"
    script.write_text(program)
    done = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "numba"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
