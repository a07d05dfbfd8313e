import gzip
import json
import math
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from data.logs.json_logs import read_json_log
from data.records.types import Logged, LogItem, Reject

Json = dict[str, Any]


def read(path: Path, content: str | bytes) -> list[LogItem]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_json_log(path, path.name))


def kinds(items: list[LogItem]) -> list[type]:
    return [type(item) for item in items]


def positions(items: list[LogItem]) -> list[int | None]:
    return [item.origin.position for item in items if isinstance(item, Logged | Reject)]


@pytest.mark.parametrize("indent", [None, 4])
@pytest.mark.parametrize("as_array", [False, True])
def test_one_record_in_every_layout(
    tmp_path: Path, record: Json, indent: int | None, as_array: bool
) -> None:
    value = [record] if as_array else record
    items = read(tmp_path / "log.json", json.dumps(value, indent=indent))
    assert kinds(items) == [Logged]


def test_lines_plain_gzipped_and_with_blank_lines_are_the_same(
    tmp_path: Path, record: Json
) -> None:
    lines = [json.dumps(record | {"label": k % 2}) for k in range(5)]
    plain = read(tmp_path / "a.jsonl", "\n".join(lines))
    zipped = read(tmp_path / "b.jsonl.gz", gzip.compress("\n\n".join(lines).encode()))
    spaced = read(tmp_path / "c.jsonl", "\ufeff" + "\r\n\r\n".join(lines) + "\n")
    ids = [
        [item.challenge.challenge_id for item in items if isinstance(item, Logged)]
        for items in (plain, zipped, spaced)
    ]
    assert ids[0] == ids[1] == ids[2]
    assert len(ids[0]) == 5
    assert positions(spaced) == [0, 1, 2, 3, 4]


def test_several_pretty_printed_records_in_one_file(tmp_path: Path, record: Json) -> None:
    text = "\n".join(json.dumps(record | {"label": k % 2}, indent=2) for k in range(3))
    items = read(tmp_path / "log.json", text)
    assert kinds(items) == [Logged] * 3
    assert positions(items) == [0, 1, 2]


def test_a_bare_nan_or_infinity_is_a_number_that_is_not_finite(
    tmp_path: Path, record: Json
) -> None:
    record["predictions"][0] = math.nan
    record["rewards"][0] = math.inf
    text = json.dumps(record)
    assert "NaN" in text
    assert "Infinity" in text
    (item,) = read(tmp_path / "log.jsonl", text)
    assert isinstance(item, Logged)
    assert item.challenge.responses[0].prediction is None


@pytest.mark.parametrize(
    "broken",
    [
        '{"label": 1, "predic',
        "{}",
        "null",
        "hello",
        '{"label": ' + "9" * 5000 + "}",
        "[" * 100_000,
        b"\xff\xfebroken",
    ],
)
def test_a_broken_line_costs_itself_alone(
    tmp_path: Path, record: Json, broken: str | bytes
) -> None:
    raw = broken if isinstance(broken, bytes) else broken.encode()
    good = json.dumps(record).encode()
    items = read(tmp_path / "log.jsonl", b"\n".join([good, raw, good]))
    assert kinds(items) == [Logged, Reject, Logged]
    assert positions(items) == [0, 1, 2]
    reject = items[1]
    assert isinstance(reject, Reject)
    assert "expected" in reject.reason
    assert "\n" not in reject.reason


def test_what_follows_a_record_on_its_line_is_rejected_beside_it(
    tmp_path: Path, record: Json
) -> None:
    good = json.dumps(record)
    items = read(tmp_path / "log.jsonl", f"{good}}}\n{good}{good}")
    assert kinds(items) == [Logged, Reject, Logged, Logged]


@pytest.mark.parametrize(
    "form", ["[{},\n{},\n{}]", "{},\n{},\n{}", "{}{}{}", "[{}, {}, {}]", "[\n {},\n {},\n {}\n]"]
)
@pytest.mark.parametrize("indent", [None, 1])
def test_records_in_an_array_or_with_commas_in_every_layout(
    tmp_path: Path, record: Json, form: str, indent: int | None
) -> None:
    records = [json.dumps(record | {"path": str(k)}, indent=indent) for k in range(3)]
    items = read(tmp_path / "log.json", form.replace("{}", "%s") % tuple(records))
    assert kinds(items) == [Logged] * 3
    assert positions(items) == [0, 1, 2]


def test_a_broken_record_in_an_indented_array_costs_itself_alone(
    tmp_path: Path, record: Json
) -> None:
    text = json.dumps([record | {"path": str(k)} for k in range(5)], indent=2)
    broken = text.replace('"path": "2"', '"path": oops')
    items = read(tmp_path / "log.json", broken)
    assert kinds(items).count(Logged) == 4
    assert len({i.challenge.challenge_id for i in items if isinstance(i, Logged)}) == 4


def test_an_array_on_one_line_may_be_larger_than_any_record(
    tmp_path: Path, record: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("json_logs", "line_spans"):
        monkeypatch.setattr(f"data.logs.{module}.MAX_RECORD_BYTES", 20_000)
    text = json.dumps([record | {"path": str(k)} for k in range(20)])
    assert kinds(read(tmp_path / "log.json", text)) == [Logged] * 20


def test_garbage_takes_time_in_proportion(tmp_path: Path) -> None:
    # quadratic work would take hours here
    items = read(tmp_path / "log.json", "{\n" * 20_000)
    assert len(items) > 1000


def test_a_truncated_last_line_says_that_it_is_cut_off(tmp_path: Path, record: Json) -> None:
    line = json.dumps(record)
    items = read(tmp_path / "log.jsonl", line + "\n" + line[: len(line) // 2])
    assert kinds(items) == [Logged, Reject]
    assert isinstance(items[1], Reject)
    assert "cut off" in items[1].reason


def test_a_broken_pretty_record_costs_itself_alone(tmp_path: Path, record: Json) -> None:
    pretty = json.dumps(record, indent=4)
    broken = pretty.replace('"miner_uids": [', '"miner_uids": [,')
    items = read(tmp_path / "log.json", "\n".join([pretty, broken, pretty]))
    assert kinds(items) == [Logged, Reject, Logged]


def test_a_gzip_file_cut_off_keeps_what_is_whole(tmp_path: Path, record: Json) -> None:
    lines = [json.dumps(record | {"label": k % 2, "path": str(k)}) for k in range(200)]
    whole = gzip.compress("\n".join(lines).encode())
    items = read(tmp_path / "log.jsonl.gz", whole[: len(whole) * 3 // 4])
    assert kinds(items[:-1]) == [Logged] * (len(items) - 1)
    assert len(items) > 50
    assert isinstance(items[-1], Reject)
    assert "gzip" in items[-1].reason


def test_an_endless_line_is_rejected_without_reading_it_into_memory(
    tmp_path: Path, record: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.logs.line_spans.MAX_RECORD_BYTES", 20_000)
    good = json.dumps(record)
    items = read(tmp_path / "log.jsonl", f"{good}\n{'x' * 100_000}\n{good}\n")
    assert kinds(items) == [Logged, Reject, Logged]


def test_a_file_of_broken_records_alone_is_left_after_many(
    tmp_path: Path, record: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.columnar.repeated_rejects.MAX_BROKEN_IN_A_ROW", 50)
    items = read(tmp_path / "log.jsonl", "hello\n" * 1000)
    assert len(items) == 51
    assert isinstance(items[-1], Reject)
    assert "50 broken records in a row" in items[-1].reason
    assert "the rest is not read" in items[-1].reason
    # as long as there are whole ones between, all is read
    text = ("hello\n" * 40 + json.dumps(record) + "\n") * 5
    assert len(read(tmp_path / "log.jsonl", text)) == 5 * 41


def test_a_torn_record_on_the_line_of_the_next_costs_no_whole_line(
    tmp_path: Path, record: Json
) -> None:
    line = json.dumps(record)
    items = read(tmp_path / "log.jsonl", f"{line}\n{line[:300]}{line}\n{line}\n")
    assert kinds(items) == [Logged, Reject, Logged]


def test_a_file_that_is_no_longer_there_is_a_reject(tmp_path: Path) -> None:
    (item,) = read_json_log(tmp_path / "nothing.jsonl", "nothing")
    assert isinstance(item, Reject)
    assert "found No such file or directory; expected a whole file" in item.reason


def test_control_characters_of_a_log_never_reach_a_terminal(tmp_path: Path) -> None:
    (item,) = read(tmp_path / "log.jsonl", b'{"label": "\x1b[31mred"}')
    assert isinstance(item, Reject)
    assert item.excerpt.isprintable()
    assert item.reason.isprintable()


def test_a_packed_document_that_was_cut_off_keeps_what_came_before(
    tmp_path: Path, record: Json
) -> None:
    records = [record | {"note": str(number) * 5_000} for number in range(20)]
    packed = gzip.compress(json.dumps(records, indent=1).encode(), compresslevel=0)
    log = tmp_path / "log.json.gz"
    log.write_bytes(packed[: len(packed) * 3 // 4])
    items = list(read_json_log(log, "log"))
    read = [item for item in items if isinstance(item, Logged)]
    assert len(read) >= 13
    rejects = [item.reason for item in items if isinstance(item, Reject)]
    assert "what came before is kept" in rejects[-1]


def test_a_byte_that_is_no_utf_8_costs_its_record_of_a_document(
    tmp_path: Path, record: Json
) -> None:
    records = [record | {"note": f"number {number}"} for number in range(5)]
    log = tmp_path / "log.json"
    log.write_bytes(json.dumps(records, indent=1).encode().replace(b"number 2", b"number \xff"))
    items = list(read_json_log(log, "log"))
    assert [isinstance(item, Logged) for item in items] == [True, True, False, True, True]


def test_a_record_that_is_too_long_costs_itself_alone_in_a_document(
    tmp_path: Path, record: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.logs.json_logs.MAX_RECORD_BYTES", 20_000)
    records = [record | {"path": str(k), "note": "x" * (30_000 * (k == 2))} for k in range(5)]
    items = read(tmp_path / "log.json", json.dumps(records, indent=1))
    assert kinds(items) == [Logged, Logged, Reject, Logged, Logged]
    assert isinstance(items[2], Reject)
    assert "found broken text (more than 20000 characters of one record)" in items[2].reason


def test_a_document_of_any_length_is_read_a_record_at_a_time(tmp_path: Path, record: Json) -> None:
    log = tmp_path / "log.json"
    one = json.dumps(record, indent=4)

    def peak(count: int) -> int:
        log.write_text("[" + ",\n".join([one] * count) + "]")
        tracemalloc.start()
        try:
            assert sum(isinstance(item, Logged) for item in read_json_log(log, "log")) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(300), peak(3000)
    assert log.stat().st_size > 20_000_000
    assert many < 1.1 * few + 2**20


def test_a_document_of_deep_nesting_costs_itself_alone(tmp_path: Path, record: Json) -> None:
    deep = '{"a": ' * 10_000 + "1" + "}" * 10_000
    items = read(tmp_path / "log.json", f"[\n{json.dumps(record)},\n{deep},\n{json.dumps(record)}]")
    assert kinds(items) == [Logged, Reject, Logged]
    assert isinstance(items[1], Reject)
    assert "nested too deeply" in items[1].reason
