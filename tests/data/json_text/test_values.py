"""Values of a text that is broken anywhere, and how much is parsed for that."""

import json
import sys
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.json_text import values as json_text
from data.json_text.decoder import Broken, Decoder, Parsed, UncountedText, json_value
from data.json_text.values import NulBytes, ParsedText, json_values

MOST = 10**7


def values_of(
    text: str, piece: int = MOST, most: int = MOST
) -> list[ParsedText | Broken | NulBytes]:
    """The values of a text that is read in pieces of a length."""
    pieces = (text[start : start + piece] for start in range(0, len(text), piece))
    return list(json_values(pieces, most))


VALUES = st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=6), max_size=3)


@given(st.lists(VALUES, max_size=6), st.sampled_from(["\n", ",\n", "", "\n\n", ", "]))
def test_values_one_after_another_are_those_that_were_written(values: list[Any], sep: str) -> None:
    text = sep.join(json.dumps(value) for value in values)
    for written in (text, f"[{text}]"):
        assert [v.value for v in values_of(written) if isinstance(v, Parsed)] == values


@given(st.text('{}[]",:\\\n 1a\0', max_size=60))
def test_any_text_ends_and_every_value_is_json(text: str) -> None:
    for found in values_of(text):
        assert isinstance(found, Parsed | Broken | NulBytes)
        if isinstance(found, Broken):
            assert 0 <= found.start <= found.stop <= len(text)


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        ('{"a": 1, "a": 1}', "a"),
        ('{"a": {"b": [{"c": 1, "d": 2, "c": 3}]}}', "c"),
        ('{"a": 1, "b": {"a": 1}}', None),
        ('{"a": 1, "\\u0061": 2}', "a"),
    ],
)
def test_a_key_twice_in_an_object_is_noticed(text: str, repeated: str | None) -> None:
    parsed = json_value(text)
    assert isinstance(parsed, Parsed)
    assert parsed.repeated == repeated
    # of several values only the one that has it
    assert [
        v.repeated for v in values_of(f'{{"x": 1}}{text}{{"y": 1}}') if isinstance(v, Parsed)
    ] == [
        None,
        repeated,
        None,
    ]


@pytest.mark.parametrize("text", ["", "  ", "{", '{"a": 1} x', '{"a": 1}{"b": 2}', "[" * 100_000])
def test_one_value_is_all_that_a_text_may_hold(text: str) -> None:
    assert isinstance(json_value(text), Broken)


def test_a_number_of_any_length_is_no_error() -> None:
    digits = "9" * 100_000
    parsed = json_value(f'{{"a": {digits}, "b": {digits}.5, "c": -{digits[:640]}}}')
    assert isinstance(parsed, Parsed)
    assert parsed.value["a"] == digits
    assert json_value("123") == Parsed(123, None)


class _Counted(Decoder):
    """Counts how many characters were parsed."""

    parsed = 0

    def decode_at(self, text: UncountedText, start: int) -> tuple[Parsed, int] | Broken:
        decoded = super().decode_at(text, start)
        end = decoded.stop if isinstance(decoded, Broken) else decoded[1]
        _Counted.parsed += end - start
        return decoded


GOOD = '{"good": true}'
PAD = '{"pad": "' + "x" * 500 + '", "next": '


@pytest.mark.parametrize(
    "broken",
    [
        '{"label": oops}\n' * 5000,
        '{"label": 1,\n' * 5000,
        '{"label":\n' * 5000,
        '{"list": [\n' * 5000,
        f"{PAD}\n" * 5000,
        f"{PAD}[\n" * 5000,
        '{"list": [\n{"x": 1},\n' * 3000,
        '{"text": "\n' * 5000,
        "{\n" * 20_000,
    ],
)
def test_each_character_of_broken_text_is_parsed_a_few_times_at_most(
    monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setattr(json_text, "Decoder", _Counted)
    _Counted.parsed = 0
    values_of(broken)
    # so often, at most: with patience, and once for each leap
    assert _Counted.parsed <= len(broken) * (json_text._FAILURES_BEFORE_SKIPPING + 40)


@pytest.mark.parametrize(
    "broken",
    [
        '{"label": oops}',
        '{"label": 1,',
        '{"label":',
        '{"list": [1, 2,',
        '{"text": "abc',
        "{" + "[" * (2 * sys.getrecursionlimit()),
        '{"label": ' + "[" * (2 * sys.getrecursionlimit()),
    ],
)
@pytest.mark.parametrize("times", [1, 3])
def test_a_broken_value_costs_itself_alone(broken: str, times: int) -> None:
    text = f"{GOOD}\n" + f"{broken}\n" * times + f"{GOOD}\n{GOOD}"
    good = [v for v in values_of(text) if isinstance(v, Parsed) and v.value == {"good": True}]
    assert len(good) == 3


def test_errors_do_not_count_the_lines_before_them(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    plain = json.JSONDecodeError.__init__

    def init(self: json.JSONDecodeError, msg: str, doc: str, pos: int) -> None:
        counted.append(doc.count("\n", 0, pos))
        plain(self, msg, doc, pos)

    monkeypatch.setattr(json.JSONDecodeError, "__init__", init)
    values_of('{"label": oops}\n' * 50)
    assert counted == [0] * 50


def test_holes_are_values_of_their_own() -> None:
    text = (json_text.nul_bytes_mark(7) + b'{"a": 1}' + json_text.nul_bytes_mark(10**12)).decode()
    assert values_of(text) == [
        NulBytes(7),
        ParsedText({"a": 1}, None, '{"a": 1}'),
        NulBytes(10**12),
    ]


# What a cut could come to lie in: numbers, words, escapes, strings, marks of NUL bytes, line ends.
FRAGMENTS = st.sampled_from(
    [
        '{"a": 1}',
        '{"a": -12.5e-10, "b": [true, null, NaN, -Infinity]}',
        '{"text": "\\u00e9\\n\\\\\\"é😀 [{", "a": {"b": []}}',
        '{"a": 1, "a": 2}',
        "\n",
        ",\n",
        " \t ",
        "[",
        "]",
        "\n[ , {",
        '{"a": oops}',
        '{"list": [\n',
        '{"text": "never closed',
        '"',
        "{",
        "}",
        "tru",
        "123.5",
        "-",
        "\\",
        "\n\0" + "17\n",
        "\x1a",
        '{"deep": ' + "[" * 40 + "1" + "]" * 40 + "}",
    ]
)


@given(st.lists(FRAGMENTS, max_size=30).map("".join), st.integers(1, 40))
def test_how_a_text_is_cut_into_pieces_changes_nothing(text: str, piece: int) -> None:
    assert repr(values_of(text, piece)) == repr(values_of(text))  # as text NaN equals NaN
    assert repr(values_of(text, piece, most=25)) == repr(values_of(text, most=25))
    beyond = text + "\n" + " " * 2000  # also where there is text behind
    assert repr(values_of(beyond, piece)) == repr(values_of(beyond))


@given(st.lists(VALUES, max_size=40), st.integers(1, 700), st.sampled_from([None, 0, 3]))
def test_values_read_in_pieces_are_those_of_python(
    values: list[Any], piece: int, indent: int | None
) -> None:
    text = json.dumps(values, indent=indent)
    found = values_of(text, piece)
    assert [value.value for value in found if isinstance(value, Parsed)] == json.loads(text)
    assert [json.loads(value.text) for value in found if isinstance(value, ParsedText)] == values


@pytest.mark.parametrize(
    "long",
    [
        '{"text": "' + "x" * 3000 + '"}',
        '{"text": "' + "x" * 3000,
        '{"number": ' + "9" * 3000 + "}",
        '{"list": [' + "1, " * 1000 + "1]}",
        '{"list": [' + "\n1, " * 1000,
        '{"blank":' + " " * 3000 + "1}",
        '"' + "x" * 3000 + '"',
        "9" * 3000,
    ],
)
@pytest.mark.parametrize("piece", [7, 100, 2900, MOST])
def test_a_value_that_is_too_long_costs_itself_alone(long: str, piece: int) -> None:
    text = f"{GOOD}\n{long}\n{GOOD}\n{GOOD}" + "\n" * 1000
    first, broken, *good = values_of(text, piece, most=2000)
    assert isinstance(broken, Broken)
    assert broken.reason == "more than 2000 characters of one record"
    assert broken.start == len(GOOD) + 1
    assert broken.shown.startswith(long[:20])
    assert [v.value for v in (first, *good) if isinstance(v, Parsed)] == [{"good": True}] * 3


def test_one_value_is_held_at_a_time() -> None:
    record = json.dumps({"text": "x" * 1000}) + ",\n"
    blanks = " " * 100_000
    held = 0

    def pieces() -> Any:
        nonlocal held
        yield "["
        for _ in range(300):
            yield record * 50
            held = max(held, tracemalloc.get_traced_memory()[0])
        yield "oops\n"
        for _ in range(300):  # blanks of a line where a record is looked for
            yield blanks
            held = max(held, tracemalloc.get_traced_memory()[0])
        yield GOOD

    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        found = sum(1 for _ in json_values(pieces(), 10_000))
    finally:
        tracemalloc.stop()
    assert found == 15_002
    assert held - before < 1_000_000  # of 15 MB and 30 MB
