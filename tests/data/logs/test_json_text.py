"""Values of a text that is broken anywhere, and how much is parsed for that."""

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.logs import json_text
from data.logs.json_text import Broken, NulBytes, Parsed, json_value, json_values

VALUES = st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=6), max_size=3)


@given(st.lists(VALUES, max_size=6), st.sampled_from(["\n", ",\n", "", "\n\n", ", "]))
def test_values_one_after_another_are_those_that_were_written(values: list[Any], sep: str) -> None:
    text = sep.join(json.dumps(value) for value in values)
    for written in (text, f"[{text}]"):
        assert [v.value for v in json_values(written) if isinstance(v, Parsed)] == values


@given(st.text('{}[]",:\\\n 1a\0', max_size=60))
def test_any_text_ends_and_every_value_is_json(text: str) -> None:
    for found in json_values(text):
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
        v.repeated for v in json_values(f'{{"x": 1}}{text}{{"y": 1}}') if isinstance(v, Parsed)
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


class _Counted(json_text._Decoder):
    """Counts how many characters were parsed."""

    parsed = 0

    def decode_at(self, text: str, start: int) -> tuple[Parsed, int] | Broken:
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
    monkeypatch.setattr(json_text, "_Decoder", _Counted)
    _Counted.parsed = 0
    list(json_values(broken))
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
    good = [v for v in json_values(text) if isinstance(v, Parsed) and v.value == {"good": True}]
    assert len(good) == 3


def test_errors_do_not_count_the_lines_before_them(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    plain = json.JSONDecodeError.__init__

    def init(self: json.JSONDecodeError, msg: str, doc: str, pos: int) -> None:
        counted.append(doc.count("\n", 0, pos))
        plain(self, msg, doc, pos)

    monkeypatch.setattr(json.JSONDecodeError, "__init__", init)
    list(json_values('{"label": oops}\n' * 50))
    assert counted == [0] * 50


def test_holes_are_values_of_their_own() -> None:
    text = (json_text.nul_bytes_mark(7) + b'{"a": 1}' + json_text.nul_bytes_mark(10**12)).decode()
    assert list(json_values(text)) == [NulBytes(7), Parsed({"a": 1}, None), NulBytes(10**12)]
