"""A megabyte of anything in every text field is read in a moment: nothing backtracks."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from data.errors import LogError
from data.records import values
from data.records.fields import FIELDS
from data.records.media_record import read_challenge
from data.records.types import Origin

SIZE = 10**6
# Linear reading takes well under a second of processor time; quadratic reading takes hours.
CEILING_SECONDS = 60

REPEATED = ("1", "'", "\\", "[", "(", " ", '"', ".", "'a',", "\\'", "1.", "1e", "[ ", "1'\\[( ")
FRAMES = ("{}", "[{}x", "['{}", "[{}]", "['{}']", "[1.0, {}x", "[{}, 1", "({}", "{}.parquet", "{}1")


@contextmanager
def processor_ceiling(seconds: int = CEILING_SECONDS) -> Iterator[None]:
    """Ends what runs longer, of processor time, so that load beside the test does not count."""

    def end(*_: object) -> None:
        raise AssertionError(f"more than {seconds} s of processor time")

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def refusal(parse: Callable[..., object], *given: object) -> str:
    """Why a parser refused what it was given; empty where it took it."""
    try:
        parse(*given)
    except LogError as error:
        return str(error)
    return ""


def with_every_text(record: dict[str, Any], text: str) -> dict[str, Any]:
    """The record with every text in it replaced, and every declared text field there."""
    declared = {field.key[-1]: text for field in FIELDS if field.key[0] == "metadata"}
    changed = replaced({**record, "metadata": declared | record["metadata"]}, text)
    metadata = dict.fromkeys(changed["metadata"], text)
    return {**changed, "metadata": metadata, "modality": "image", "task_id": text}


def replaced(value: Any, text: str) -> Any:
    if isinstance(value, dict):
        return {key: replaced(item, text) for key, item in value.items()}
    if isinstance(value, list):
        return [replaced(item, text) for item in value]
    return text if isinstance(value, str) else value


@pytest.mark.parametrize("repeated", REPEATED)
def test_a_record_with_a_megabyte_in_every_text_field_is_read(
    record: dict[str, Any], repeated: str
) -> None:
    long = with_every_text(record, repeated * (SIZE // len(repeated)))
    with processor_ceiling():
        logged = read_challenge(long, Origin("log", 0))
    assert len(logged.challenge.responses) == 10
    assert all(len(problem.reason) < 1000 for problem in logged.problems)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("repeated", REPEATED)
def test_a_parser_refuses_or_reads_a_megabyte(repeated: str, frame: str) -> None:
    text = frame.replace("{}", repeated * (SIZE // len(repeated)))
    parsers = (values.gps, values.tags, values.integer, values.natural, values.parquet_name)
    with processor_ceiling():
        for parse in (*parsers, values.name, values.text, values.scalar_text, values.null_kind):
            assert len(refusal(parse, text)) < 1000


@pytest.mark.parametrize("repeated", REPEATED)
@pytest.mark.parametrize("key", ["label", "predictions", "miner_uids", "miner_hotkeys", "modality"])
def test_a_record_with_a_megabyte_where_a_number_belongs_is_refused_in_a_line(
    record: dict[str, Any], key: str, repeated: str
) -> None:
    text = repeated * (SIZE // len(repeated))
    for value in (text, [text] * 10, {text: text}):
        changed = json.loads(json.dumps(record)) | {key: value}
        with processor_ceiling():
            assert len(refusal(read_challenge, changed, Origin("log", 0))) < 1000
