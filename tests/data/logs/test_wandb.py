import json
import math
import shutil
import sys
import tracemalloc
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest

from data.errors import LogError
from data.logs.media_html import read_media_html
from data.logs.wandb_run import read_wandb_run
from data.records.types import Logged, LogItem, Reject, Run, SeriesStep
from tests.conftest import golden_records
from tests.worlds.simulated_logs import simulated_log
from tests.worlds.wandb_runs import write_run


@pytest.fixture
def run_log(golden: Path, tmp_path: Path) -> Path:
    """The transaction log of a copy of the golden run, writable."""
    (folder,) = (golden / "e7" / "wandb").iterdir()
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy, copy_function=shutil.copyfile)
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (log,) = copy.glob("*.wandb")
    return log


T = TypeVar("T", bound=LogItem)


def of(items: Iterable[object], kind: type[T]) -> list[T]:
    return [item for item in items if isinstance(item, kind)]


def test_the_golden_run_is_read_whole(run_log: Path, golden: Path) -> None:
    items = list(read_wandb_run(run_log, "run"))
    (run,) = of(items, Run)
    assert (run.run_id, run.steps, run.finished, run.exit_code) == ("aw9setnr", 40, True, 0)
    assert '"version": "2.0.4"' in run.config
    assert not of(items, Reject)
    records = golden_records(golden, "e7")
    series = {step.step: step.values for step in of(items, SeriesStep)}
    for k, record in enumerate(records[:40]):
        for slot, uid in enumerate(record["miner_uids"]):
            logged = series[k][uid]
            assert logged["predictions"] == record["predictions"][slot]
            assert logged["rewards"] == record["rewards"][slot]
            assert logged["scores"] == record["scores"][uid]
            for name in ("accuracy", "auc", "f1_score", "mcc", "precision", "recall"):
                assert logged[name] == record[f"miner_image_{name}"][slot]
    challenges = of(items, Logged)
    assert [item.origin.step for item in challenges] == list(range(40))
    assert all(item.origin.time is not None for item in challenges)


def test_media_html_holds_the_same_record_as_the_json(run_log: Path, golden: Path) -> None:
    (path,) = (run_log.parent / "files" / "media" / "html").glob("metadata_7_*.html")
    item = read_media_html(path, path.name)
    assert isinstance(item, Logged)
    record = golden_records(golden, "e7")[7]
    assert [r.prediction for r in item.challenge.responses] == record["predictions"]


@pytest.mark.parametrize("text", ["", "<pre>", "<pre>{}</pre>", "<pre>x</pre>", "<p>no pre</p>"])
def test_other_html_is_rejected_with_the_reason(tmp_path: Path, text: str) -> None:
    path = tmp_path / "metadata_0_ab.html"
    path.write_text(text, encoding="utf-8")
    item = read_media_html(path, path.name)
    assert isinstance(item, Reject)
    assert "expected" in item.reason


def test_text_that_closes_pre_inside_the_record_does_not_end_it(
    run_log: Path, tmp_path: Path
) -> None:
    (path,) = (run_log.parent / "files" / "media" / "html").glob("metadata_7_*.html")
    text = path.read_text(encoding="utf-8").replace('"pittsburgh"', '"</pre><script>x</script>"')
    text = text.replace('"houston"', '"</pre><script>x</script>"')
    hostile = tmp_path / "metadata_7_ab.html"
    hostile.write_text(text, encoding="utf-8")
    assert isinstance(read_media_html(hostile, hostile.name), Logged)


@pytest.mark.parametrize("share", [0.001, 0.3, 0.6, 0.999])
def test_a_truncated_log_keeps_what_is_whole_and_says_what_is_missing(
    run_log: Path, share: float
) -> None:
    whole = run_log.read_bytes()
    run_log.write_bytes(whole[: max(8, int(len(whole) * share))])
    items = list(read_wandb_run(run_log, "run"))
    (run,) = of(items, Run)
    assert run.run_id == "aw9setnr"
    assert not run.finished
    assert 0 <= run.steps < 40 or share > 0.99
    # the media are whole, so no challenge is lost
    assert len(of(items, Logged)) == 40
    (reject,) = of(items, Reject)
    assert "cut off" in reject.reason
    assert reject.origin.position == run.steps


def test_a_missing_media_file_is_reported_and_its_series_kept(run_log: Path) -> None:
    (path,) = (run_log.parent / "files" / "media" / "html").glob("metadata_5_*.html")
    path.unlink()
    items = list(read_wandb_run(run_log, "run"))
    assert len(of(items, SeriesStep)) == 40
    assert len(of(items, Logged)) == 39
    (reject,) = of(items, Reject)
    assert reject.origin.position == 5
    assert "found no file" in reject.reason


@pytest.mark.parametrize("content", [b"SQLite format 3\x00", b"x", b":W&B\xe1\xbe\x09"])
def test_another_file_is_no_transaction_log(tmp_path: Path, content: bytes) -> None:
    log = tmp_path / "run-x.wandb"
    log.write_bytes(content)
    with pytest.raises(LogError, match="expected a W&B transaction log"):
        list(read_wandb_run(log, "run"))


@pytest.mark.parametrize("size", [0, 3, 6])
def test_a_header_cut_off_costs_no_media_beside_it(run_log: Path, size: int) -> None:
    run_log.write_bytes(run_log.read_bytes()[:size])
    items = list(read_wandb_run(run_log, "run"))
    assert len(of(items, Logged)) == 40
    assert len(of(items, Reject)) == 1
    assert of(items, Run)[0].run_id == "aw9setnr"


def test_a_log_of_the_header_alone_is_a_run_without_steps(tmp_path: Path) -> None:
    log = tmp_path / "run-abc.wandb"
    log.write_bytes(b":W&B\xe1\xbe\x00")
    (run,) = read_wandb_run(log, "run")
    assert isinstance(run, Run)
    assert (run.run_id, run.steps, run.finished) == ("abc", 0, False)


def test_a_setting_nested_deeply_stays_text_and_its_neighbours_are_read(tmp_path: Path) -> None:
    """Between depths that Python can parse and those that it can write again lie a few."""
    limit = sys.getrecursionlimit()
    for depth in (10, *range(800, 1010, 2)):
        value: Any = 72
        for _ in range(depth):
            value = [value]
        sys.setrecursionlimit(10 * limit)
        folder = write_run(
            tmp_path / str(depth),
            "ab12cd34",
            [],
            started=datetime(2026, 1, 1, tzinfo=UTC),
            config={"uid": 4, "deep": value, "netuid": 72},
        )
        sys.setrecursionlimit(limit)
        (run,) = of(read_wandb_run(folder / "run-ab12cd34.wandb", "run"), Run)
        assert (run.validator_uid, run.netuid) == (4, 72)
        kept = json.loads(run.config)["deep"]
        assert kept == (value if depth == 10 else "[" * depth + "72" + "]" * depth)


def test_the_series_of_a_run_are_not_held(tmp_path: Path) -> None:
    records = list(simulated_log(5, "E8", 100))

    def peak(steps: int) -> int:
        folder = tmp_path / str(steps)
        many = [records[step % len(records)] for step in range(steps)]
        write_run(folder, "ab12cd34", many, started=datetime(2026, 1, 1, tzinfo=UTC))
        tracemalloc.start()
        try:
            items = read_wandb_run(folder / "run-ab12cd34.wandb", "run")
            assert sum(isinstance(item, SeriesStep) for item in items) == steps
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(200), peak(1200)
    assert many - few < 1000 * 2_000  # bytes a step: its place, its time, and its media file's path


def test_a_record_of_another_run_takes_nothing_from_the_first(tmp_path: Path, golden: Path) -> None:
    records = golden_records(golden, "e7")[:3]
    started, later = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    first = write_run(tmp_path / "a", "ab12cd34", records, started=started) / "run-ab12cd34.wandb"
    other = write_run(
        tmp_path / "b", "zz99zz99", [], started=later, config={"uid": 9, "hotkey": "B"}
    )
    alone = of(list(read_wandb_run(first, "run")), Run)
    header = 7
    tail = (other / "run-zz99zz99.wandb").read_bytes()[header:]
    first.write_bytes(first.read_bytes() + tail)
    items = list(read_wandb_run(first, "run"))
    assert {item.run_id for item in of(items, SeriesStep)} == {"ab12cd34"}
    assert of(items, Run) == alone
    (reject,) = of(items, Reject)
    assert "found run 'zz99zz99' behind steps of run 'ab12cd34'" in reject.reason
    assert len(of(items, Logged)) == 3


TEXTS = (
    *("0.5", "7", "-1e-3", "1e400", "NaN", "Infinity", '"NaN"', '"0.25"', '"x"', "true", "null"),
    *("", " ", "1,2", "[1", "2]", '"a', 'b"', "[", "]", "{}", "1_0", "0x1", "9" * 5000, "9" * 400),
)


class RawText(str):
    """What stands in a log in place of the JSON of a value."""


def logged_number(text: str) -> float:
    """What Python makes of one logged text."""
    try:
        number = float(json.loads(text))
    except (ValueError, TypeError, OverflowError):
        return math.nan
    return number if math.isfinite(number) else math.nan


@pytest.mark.parametrize("seed", range(20))
def test_a_logged_number_is_what_it_is_whatever_stands_beside_it(
    tmp_path: Path, golden: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    def dumps(value: object) -> str:
        return str(value) if isinstance(value, RawText) else json.dumps(value)

    monkeypatch.setattr("tests.worlds.wandb_runs.json", SimpleNamespace(dumps=dumps))
    random = Random(seed)  # noqa: S311
    record = golden_records(golden, "e7")[0]
    count = len(record["miner_uids"])
    odd = TEXTS if seed % 2 else TEXTS[:4]
    texts = [RawText(random.choice(odd)) for _ in range(count)]
    records = [record | {"predictions": texts}, record]
    folder = write_run(tmp_path, "ab12cd34", records, started=datetime(2026, 1, 1, tzinfo=UTC))
    first, second = of(read_wandb_run(folder / "run-ab12cd34.wandb", "run"), SeriesStep)
    for step, values in ((first, map(logged_number, texts)), (second, record["predictions"])):
        read = [step.values[uid]["predictions"] for uid in record["miner_uids"]]
        assert read == pytest.approx(list(values), nan_ok=True, rel=0, abs=0)
