"""The fast reader of clean lines and the strict one fill a store with equal rows."""

import contextlib
import json
import random
from pathlib import Path
from typing import Any

import pytest

from analytics.ingest.ingest import IngestReport, ingest
from analytics.ingest.settings import IngestSettings
from analytics.queries.user_sql import query
from data.columnar.clean_record import CleanRecord
from data.columnar.line_reader import CleanLineReader
from data.logs.json_logs import read_json_log
from data.store import Store
from tests.conftest import golden_records
from tests.data.columnar.mutated_records import mutated_lines
from tests.worlds.simulated_logs import small_log

Json = dict[str, Any]

RELATIONS = ("media", "responses", "miner_series", "rejects")
STRICT = IngestSettings(clean_lines=False)
PROCESSES = IngestSettings(processes=2, process_megabytes=0)


def contents(store: Store) -> dict[str, list[str]]:
    """Every row, as text: NaN equals NaN there, and 0.0 differs from -0.0."""
    return {
        relation: [repr(row) for row in query(store, f"FROM {relation} ORDER BY ALL").rows]
        for relation in RELATIONS
    }


def read_both_ways(tmp_path: Path, content: bytes) -> tuple[dict[str, list[str]], IngestReport]:
    """The rows of a log, equal by both readers, and what the ingest reports."""
    log = tmp_path / "log.jsonl"
    log.write_bytes(content)
    fast, strict = Store(tmp_path / "fast"), Store(tmp_path / "strict")
    report = ingest(fast, [log], settings=IngestSettings(batch_megabytes=1))
    assert report == ingest(strict, [log], settings=STRICT)
    rows = contents(fast)
    for relation, expected in contents(strict).items():
        assert len(rows[relation]) == len(expected), relation
        for row, other in zip(rows[relation], expected, strict=True):
            assert row == other, relation
    return rows, report


def records_of_all_forms(golden: Path) -> list[Json]:
    of_eras = [golden_records(golden, era)[:40] for era in ("e5", "e7", "e9")]
    synthetic = [record for record in small_log("E8", 60, 0.5) if record["source"] == "synthetic"]
    api = {key: value for key, value in synthetic[0].items() if not key.startswith("data_aug")}
    api |= {"source": "api", "task_id": "a-1"}
    del api["metadata"], api["path"]
    return [*of_eras[0], *of_eras[1], *of_eras[2], *synthetic, api]


@pytest.mark.parametrize("seed", range(3))
def test_mutated_records_give_equal_rows_by_both_readers(
    tmp_path: Path, golden: Path, seed: int
) -> None:
    lines = list(mutated_lines(records_of_all_forms(golden), 500, seed))
    rows, report = read_both_ways(tmp_path, b"\n".join(lines))
    # enough of each kind that the comparison means something
    assert report.challenges_new > 150
    assert report.records_rejected > 50
    assert report.values_rejected > 20
    assert len(rows["responses"]) > 1000


@pytest.mark.parametrize("indent", [None, 1])
def test_documents_give_equal_rows_by_both_readers(
    tmp_path: Path, golden: Path, indent: int | None
) -> None:
    lines = [line for line in mutated_lines(records_of_all_forms(golden), 200, 5) if line.strip()]
    for number, line in enumerate(lines):
        with contextlib.suppress(ValueError):
            lines[number] = json.dumps(json.loads(line), indent=indent).encode()
    rows, report = read_both_ways(tmp_path, b"[\n" + b",\n".join(lines) + b"\n]\n")
    assert report.challenges_new > 60
    assert report.records_rejected > 20
    assert len(rows["responses"]) > 400


def test_clean_records_of_every_form_are_read_by_the_fast_reader(
    tmp_path: Path, golden: Path
) -> None:
    records = records_of_all_forms(golden)
    lines = [json.dumps(record) for record in records]
    log = tmp_path / "log.jsonl"
    for content in ("\n".join(lines), json.dumps(records, indent=2), f"[{', '.join(lines)}]"):
        log.write_text(content)
        items = list(read_json_log(log, "log.jsonl", CleanLineReader()))
        assert [type(item) for item in items] == [CleanRecord] * len(records)
    read_both_ways(tmp_path, log.read_bytes())


def test_a_surprise_leaves_the_lines_behind_it_to_the_fast_reader(record: Json) -> None:
    reader, line = CleanLineReader(), json.dumps(record).encode()
    refused = json.dumps(record | {"metadata": record["metadata"] | {"id": 0.5}}).encode()
    nan = line.replace(b"1.0", b"NaN")
    for surprise in (b"[" + line + b"]", b"3", b"{", nan, refused, b"\xff", b""):
        assert reader.read(surprise, 0) is None
        assert reader.read(line, 1) is not None


SURPRISES: list[tuple[str, Any]] = [
    ("label", True),
    ("predictions", [[0.5], *[0.5] * 9]),
    ("predictions", [0.5] * 9),
    ("predictions", [None] + [0.5] * 9),
    ("predictions", []),
    ("rewards", ["0.5"] * 10),
    ("rewards", [True] * 10),
    ("scores", [1e39] * 256),
    ("scores", [0.5, [0.5]]),
    ("scores", "x"),
    ("miner_uids", 5),
    ("miner_uids", [-1] * 10),
    ("miner_hotkeys", [1] * 10),
    ("metadata", None),
    ("metadata", []),
    ("modality", "video"),
    ("miner_image_mcc", None),
    ("data_aug_level", 9),
    ("data_aug_params", {"RandomRotationWithParams": 1}),
]


def test_bounds_of_memory_change_no_row(tmp_path: Path, golden: Path) -> None:
    records = records_of_all_forms(golden)
    lines = [json.dumps(records[k % len(records)] | {"k": k}) for k in range(2000)]
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(lines))
    free, bound = Store(tmp_path / "free"), Store(tmp_path / "bound")
    little = IngestSettings(batch_megabytes=1, staged_megabytes=1, database_megabytes=128)
    assert ingest(free, [log]) == ingest(bound, [log], settings=little)
    assert contents(free) == contents(bound)
    assert not bound.scratch.exists()


@pytest.mark.parametrize("key", ["x\0y", "modality\0y", "\0"])
def test_a_key_with_a_nul_is_read_whole(tmp_path: Path, record: Json, key: str) -> None:
    lines = [json.dumps(one | {"x": 7}) for one in (record, record | {key: 5})]
    nested = record | {"metadata": record["metadata"] | {key: 5}}
    lines.append(json.dumps(nested))
    rows, _ = read_both_ways(tmp_path, "\n".join(lines).encode())
    assert len(rows["media"]) == 3


@pytest.mark.parametrize("share", [0.05, 0.5])
def test_several_processes_give_equal_rows(tmp_path: Path, golden: Path, share: float) -> None:
    records = records_of_all_forms(golden)
    spoiled = list(mutated_lines(records, int(3000 * share), 7))
    clean = [json.dumps(records[k % len(records)] | {"k": k}).encode() for k in range(3000)]
    # blank lines, several records on one line and rows of a history move what is behind them
    spoiled += [b"", clean[0] + clean[1], b'{"_step": 1, "_timestamp": 2}', b"{", clean[2]] * 3
    lines = clean + spoiled
    random.Random(1).shuffle(lines)  # noqa: S311
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"\n".join(lines))
    one, several = Store(tmp_path / "one"), Store(tmp_path / "several")
    assert ingest(one, [log]) == ingest(several, [log], settings=PROCESSES)
    assert contents(one) == contents(several)
    assert len(contents(one)["media"]) > 3000


@pytest.mark.parametrize(("key", "value"), SURPRISES)
def test_a_surprise_is_read_by_the_strict_reader(
    tmp_path: Path, record: Json, key: str, value: Any
) -> None:
    line = json.dumps(record | {key: value}).encode()
    assert CleanLineReader().read(line, 0) is None
    read_both_ways(tmp_path, line + b"\n" + json.dumps(record).encode())


@pytest.mark.parametrize("inside", ["record", "metadata", "data_aug_params", "rotation"])
def test_a_key_twice_is_seen_wherever_it_is(tmp_path: Path, record: Json, inside: str) -> None:
    line = json.dumps(record)
    opening = {
        "record": "{",
        "metadata": '"metadata": {',
        "data_aug_params": '"data_aug_params": {',
    }
    before = opening.get(inside, '"RandomRotationWithParams": {')
    key = {"record": '"label": 1, ', "metadata": '"id": 1, '}.get(inside, '"angle": 1.5, ')
    twice = line.replace(before, before + key + key, 1)
    assert CleanLineReader().read(twice.encode(), 0) is None
    # an escaped quote or bracket elsewhere cannot hide it
    for hiding in (r"\u0022\u0022\u0022\u0022", r"\u005b"):
        hidden = twice.replace('"image"', f'"image{hiding}"')
        assert CleanLineReader().read(hidden.encode(), 0) is None


def test_forms_of_equal_content_have_one_id(tmp_path: Path, record: Json) -> None:
    """Key order, white space, whole floats, signs of zero and the reader do not matter."""
    record["predictions"][:3] = [1.0, 0.0, -1.0]
    lines = [json.dumps(record)]
    lines.append(json.dumps(dict(reversed(record.items())), separators=(",", ":")))
    lines.append(lines[0].replace("[1.0, 0.0, -1.0", "[1, -0.0, -10e-1"))
    (tmp_path / "lines.jsonl").write_text("\n".join(lines))
    (tmp_path / "pretty.json").write_text(json.dumps(record, indent=3))
    (tmp_path / "array.json").write_text(json.dumps([record]))
    html = tmp_path / "metadata_3_abc.html"
    html.write_text(f"<base><pre>{json.dumps(record)}</pre>")
    store = Store(tmp_path / "store")
    report = ingest(store, [tmp_path])
    assert (report.challenges_read, report.challenges_new, report.rejects) == (6, 1, [])


def test_a_null_in_a_list_is_nan_by_either_reader(tmp_path: Path, record: Json) -> None:
    texts = []
    for value in (None, float("nan"), float("inf")):
        record["scores"][7] = record["rewards"][3] = value
        texts.append(json.dumps(record))
    store = Store(tmp_path / "store")
    (tmp_path / "log.jsonl").write_text("\n".join(texts))
    assert ingest(store, [tmp_path / "log.jsonl"]).challenges_new == 1
    assert query(store, "SELECT scores[8] IS NULL FROM media").rows == [(True,)]
