"""Logs read by workers give the store that one process makes; Ray runs all in this process."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analytics.cluster.cluster_reading import ClusterReading
from analytics.cluster.log_worker import LogWorker
from analytics.cluster.reading_tasks import ReadLogs, ReadSpan
from analytics.ingest.ingest import IngestReport, ingest
from data.cluster.actor import Refusal, answer_of
from data.cluster.ray_cluster import RayCluster, WorkerResources
from data.cluster.task_queue import Task
from data.store import Store
from tests.analytics.cluster.logs_of_all_forms import differences, settle, write_logs
from tests.data.cluster.fake_ray import DEATH, FakeRay
from tests.made_once import made_once

Change = Callable[[Task], None]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "logs-of-all-forms", write_logs)


@pytest.fixture(scope="module")
def one_process(tmp_path_factory: pytest.TempPathFactory, logs: Path) -> tuple[Store, IngestReport]:
    store = Store(tmp_path_factory.mktemp("one") / "store")
    return store, ingest(store, [logs])


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("data.logs.line_spans", "analytics.cluster.cluster_reading"):
        monkeypatch.setattr(f"{name}.SPAN_BYTES", 2**16)
    monkeypatch.setattr("analytics.cluster.sent_rows._STRETCH_BYTES", 2**18)
    monkeypatch.setattr("analytics.cluster.sent_rows._FEWEST_ROWS", 8)
    monkeypatch.setattr("data.columnar.blocks._MOST_UNCLEAN", 5)
    monkeypatch.setattr("analytics.cluster.log_worker.collect_rarely", lambda: None)
    # pieces of an answer lie in the store of a cluster; here there is none
    monkeypatch.setattr("ray.put", lambda piece: piece)


def no_change(_task: Task) -> None:
    """Nothing happens before a task."""


def node(
    name: str, before: Change = no_change, answered: list[Task] | None = None
) -> tuple[Any, Any]:
    """How a worker on a node behaves: something happens before each task that it answers."""
    made: list[LogWorker] = []

    def start(make: Callable[[], LogWorker], describe: Callable[[LogWorker], Any]) -> Any:
        made.append(make())
        return name, describe(made[0])

    def do(task: Task) -> Any:
        before(task)
        answer = answer_of(task, made[0])
        if answered is not None and not isinstance(answer, Refusal):
            answered.append(task)
        return answer

    return start, do


def read(store: Store, logs: Path, *nodes: tuple[Any, Any], count: int = 1) -> IngestReport:
    cluster = RayCluster(FakeRay(iter(nodes)), ("127.0.0.1", 1))  # type: ignore[arg-type]
    return ingest(store, [logs], reading_by=ClusterReading(cluster, WorkerResources(), count))


def check_equal(
    store: Store, report: IngestReport, one_process: tuple[Store, IngestReport]
) -> None:
    expected, expected_report = one_process
    assert report == expected_report
    assert differences(store, expected) == {}


def test_one_worker_and_three_give_the_store_of_one_process(
    store: Store, logs: Path, one_process: tuple[Store, IngestReport], tmp_path: Path
) -> None:
    report = one_process[1]
    assert report.challenges_new > 300
    assert min(report.records_rejected, report.series_steps_new) > 20
    assert min(report.values_rejected, report.runs) > 0
    answered: list[Task] = []
    check_equal(store, read(store, logs, node("a", answered=answered)), one_process)
    kinds = [type(task) for task in answered]
    assert (kinds.count(ReadSpan), kinds.count(ReadLogs)) > (5, 5)
    other = Store(tmp_path / "other")
    check_equal(other, read(other, logs, *map(node, "abc"), count=3), one_process)
    again = read(store, logs)
    assert (again.changed, again.logs_unchanged) == (False, len(report.logs))


def test_workers_that_die_are_replaced(
    store: Store, logs: Path, one_process: tuple[Store, IngestReport]
) -> None:
    def dies_at(number: int) -> Change:
        left = iter(range(number))

        def before(_task: Task) -> None:
            if next(left, None) is None:
                raise DEATH

        return before

    nodes = node("a", dies_at(2)), node("b", dies_at(4)), node("c", dies_at(1)), *map(node, "de")
    check_equal(store, read(store, logs, *nodes, count=2), one_process)


@pytest.fixture
def own_logs(logs: Path, tmp_path: Path) -> Path:
    return shutil.copytree(logs, tmp_path / "logs")


def lacking_node(name: str, logs: Path, instead: Path | None = None) -> tuple[Any, Any]:
    """A node that has no logs, or has others."""
    start, do = node(name)

    def do_without(task: Task) -> Any:
        aside = logs.rename(logs.with_name("aside"))
        if instead is not None:
            instead.rename(logs)
        try:
            return do(task)
        finally:
            if instead is not None:
                logs.rename(instead)
            aside.rename(logs)

    return start, do_without


def test_a_node_that_lacks_logs_or_has_others_is_left_out(
    own_logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = Store(tmp_path / "expected")
    one_process = expected, ingest(expected, [own_logs])
    nodes = lacking_node("a", own_logs), node("b")
    store = Store(tmp_path / "other node")
    check_equal(store, read(store, own_logs, *nodes, count=2), one_process)
    said = capsys.readouterr().err.replace("\n", " ")
    assert "No such file or directory; expected the logs as they are here; put them" in said
    assert "they are read here" not in said
    others = shutil.copytree(own_logs, tmp_path / "others")
    for log in others.glob("*.json*"):
        log.write_bytes(log.read_bytes().replace(b"0.9", b"0.8"))
    store = Store(tmp_path / "no node")
    nodes = lacking_node("a", own_logs, others), lacking_node("b", own_logs, others)
    check_equal(store, read(store, own_logs, *nodes, count=2), one_process)
    said = capsys.readouterr().err.replace("\n", " ")
    assert said.count("found another ") == 2
    assert said.count("no node is left that has the logs: they are read here") == 1


def test_logs_that_change_meanwhile_are_read_here(
    own_logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed: list[Task] = []

    def grows(task: Task) -> None:
        if not changed:
            changed.append(task)
            for log in (own_logs / "b-unclean.jsonl", own_logs / "d-document.json"):
                log.write_text(log.read_text().replace("0.9", "0.8"))

    store = Store(tmp_path / "store")
    report = read(store, own_logs, node("a", grows))
    expected = Store(tmp_path / "expected")
    assert ingest(expected, [own_logs]).challenges_new == report.challenges_new
    # but the digests of logs, which are of before
    assert set(differences(store, expected)) == {"logs"}
    assert "expected the logs as they are here" not in capsys.readouterr().err


def test_logs_that_grew_are_read_from_where_they_ended(own_logs: Path, tmp_path: Path) -> None:
    store, expected = Store(tmp_path / "store"), Store(tmp_path / "expected")
    whole = (own_logs / "a-long.jsonl").read_text().splitlines(keepends=True)
    for count in (40, 121):
        (own_logs / "a-long.jsonl").write_text("".join(whole[:count]))
        settle(own_logs)
        one_process = expected, ingest(expected, [own_logs])
        check_equal(store, read(store, own_logs, *map(node, "ab"), count=2), one_process)
