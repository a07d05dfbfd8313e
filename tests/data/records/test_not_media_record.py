"""JSON and HTML of other writers: the record itself, or a clear refusal."""

import html
import json
from pathlib import Path
from typing import Any

import pytest

from data.errors import RecordError
from data.logs.json_logs import read_json_log
from data.logs.media_html import read_media_html
from data.records.media_record import read_challenge
from data.records.not_media_record import is_history_row
from data.records.types import Logged, Origin, Reject
from tests.conftest import CASES

Json = dict[str, Any]
HERE = Origin("log", 0)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("dup.jsonl", "found the key 'label' twice in one object; expected each key once"),
        ("js.json", "found broken text"),
        ("ndjson_envelope.jsonl", "found an object with keys '_id', '_source'; expected a Media"),
        ("nested_string.jsonl", "found str; expected a JSON object"),
        ("npstrings.jsonl", "predictions[0]: value: found 'np.float64(0.0)'; expected a number"),
        ("pandas_columns.json", "modality: found {'0': 'image'"),
        ("pandas_flat.jsonl", "found flattened keys 'metadata.source_parquet'"),
        ("wrapper.json", "found an object with keys 'run', 'challenges'; expected a Media record"),
        ("wrapper_line.json", "found an object with keys 'data'; expected a Media record"),
    ],
)
def test_json_of_another_writer_is_clearly_refused(name: str, reason: str) -> None:
    items = list(read_json_log(CASES / "odd-json" / name, name))
    assert items
    for item in items:
        assert isinstance(item, Reject)
        assert "\n" not in item.reason
        assert len(item.reason) < 400
    assert isinstance(items[0], Reject)
    assert reason in items[0].reason


def test_a_number_too_large_costs_its_column_alone() -> None:
    (item,) = read_json_log(CASES / "odd-json" / "huge.jsonl", "huge")
    assert isinstance(item, Logged)
    assert [problem.column for problem in item.problems] == ["source_id"]


def test_a_page_saved_by_a_browser_equals_the_record() -> None:
    path = CASES / "odd-json" / "styled.html"
    item = read_media_html(path, "styled.html")
    assert isinstance(item, Logged)
    text = path.read_text(encoding="utf-8")
    record = json.loads(text[text.index("{") : text.rindex("}") + 1])
    assert item.challenge.challenge_id == read_challenge(record, HERE).challenge.challenge_id


W_AND_B = '<base target="_blank"><link rel="stylesheet" type="text/css" href="x.css" />'
SAVED = "<!DOCTYPE html>\n<html><head><base></head><body>"


def page(text: str, form: str) -> str:
    as_text = html.escape(text, quote=False).replace("\xa0", "&nbsp;")
    pages = {
        "as logged": f"{W_AND_B}<pre>{text}</pre>",
        "chrome": f'{SAVED}<pre style="word-wrap: break-word">{as_text}</pre></body></html>',
        "upper case": f"<HTML><BODY>\n<PRE>\n{as_text}\n</PRE></BODY></HTML>",
        "quotes too": f"<pre class=x id='y'>{html.escape(text)}</pre>",
        "numbers": f"<html><pre>{text.translate({38: '&#38;', 60: '&#x3c;'})}</pre></html>",
    }
    return pages[form]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("form", ["as logged", "chrome", "upper case", "quotes too", "numbers"])
@pytest.mark.parametrize(
    "text", ["R&D <b> é \xa0x", "&amp; as logged", 'say "&lt;"', "</pre> inside", "<pre> inside"]
)
def test_a_page_holds_its_record_in_every_form(
    tmp_path: Path, record: Json, form: str, text: str, encoding: str
) -> None:
    record["metadata"]["scene_description"] = text
    written = json.dumps(record, indent=4, ensure_ascii=False)
    path = tmp_path / "metadata_3_ab.html"
    path.write_bytes(page(written, form).encode(encoding))
    item = read_media_html(path, path.name)
    assert isinstance(item, Logged)
    assert item.challenge.challenge_id == read_challenge(record, HERE).challenge.challenge_id
    assert item.challenge.source.scene_description == text


def test_a_key_twice_in_a_page_is_a_reject(tmp_path: Path, record: Json) -> None:
    path = tmp_path / "metadata_3_ab.html"
    path.write_text(f'<pre>{json.dumps(record)[:-1]}, "label": 0}}</pre>', encoding="utf-8")
    item = read_media_html(path, path.name)
    assert isinstance(item, Reject)
    assert "the key 'label' twice" in item.reason


def test_many_openings_that_never_close_take_time_in_proportion(tmp_path: Path) -> None:
    path = tmp_path / "metadata_3_ab.html"
    path.write_bytes(b"<pre " * 10**6 + b"</pre")
    assert isinstance(read_media_html(path, path.name), Reject)


@pytest.mark.parametrize("separator", [".", "_", "/", ":", "__", "-"])
@pytest.mark.parametrize("nested", ["metadata", "data_aug_params"])
def test_a_flattened_object_is_refused_not_read_as_nothing(
    record: Json, separator: str, nested: str
) -> None:
    inner = record.pop(nested)
    record |= {f"{nested}{separator}{key}": value for key, value in inner.items()}
    with pytest.raises(RecordError, match=f"found flattened keys '{nested}.*expected one object"):
        read_challenge(record, HERE)
    # null where the object stood, as tables write what one row lacks
    with pytest.raises(RecordError, match="found flattened keys"):
        read_challenge(record | {nested: None}, HERE)


def test_an_api_record_without_metadata_is_read(record: Json) -> None:
    del record["metadata"]
    assert read_challenge(record, HERE).challenge.nulls["gps"] == "absent"


@pytest.mark.parametrize("modality", ["video", "audio", "Image", ["image"], 3, ""])
def test_a_challenge_of_another_modality_is_refused(record: Json, modality: object) -> None:
    with pytest.raises(RecordError, match=r"modality: found .*expected 'image'"):
        read_challenge(record | {"modality": modality}, HERE)


@pytest.mark.parametrize("modality", ["image", None])
def test_a_challenge_of_an_image_is_read(record: Json, modality: str | None) -> None:
    assert read_challenge(record | {"modality": modality}, HERE).challenge.label == 1
    del record["modality"]
    assert read_challenge(record, HERE).challenge.label == 1


def test_a_row_of_a_history_is_told_from_a_record(record: Json) -> None:
    assert is_history_row({"_step": 1, "_timestamp": 2.0})
    assert is_history_row({"miner_mcc/uid_4": 0.5, "label": 1})
    assert not is_history_row(record | {"_step": 1, "_timestamp": 2.0})
    assert not is_history_row({"_step": 1})
    assert not is_history_row([1])
