import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import FieldError
from data.records import values
from data.records.types import NullKind


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_gps_text_as_the_data_set_writes_it_gives_both_degrees(lat: float, lon: float) -> None:
    assert values.gps(f"[{lat:.8f}, {lon:.8f}]") == pytest.approx((lat, lon), abs=1e-8)


@pytest.mark.parametrize(
    "hostile",
    [
        "__import__('os').system('x')",
        "[__import__('os').system('x'), 2]",
        "[1, 2",
        "[1, 2, 3]",
        "[nan, 2]",
        "[91.0, 2.0]",
        "[1.0, 181.0]",
        "[1e999, 0]",
        "[１.0, ２.0]",
        [1],
        ["a", "b"],
        [True, 2.0],
        {"lat": 1, "lon": 2},
        7,
    ],
)
def test_gps_of_no_place_is_refused_not_evaluated(hostile: object) -> None:
    with pytest.raises(FieldError, match=r"found .*expected"):
        values.gps(hostile)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=12)))
def test_tag_lists_are_read_as_python_writes_them(tags: list[str]) -> None:
    # repr doubles a backslash and escapes one kind of quote, as the data set's text does
    assert values.tags(str(tags)) == tuple(tags)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("['Sunny']", ("Sunny",)),
        ("['Lane Shift', 'Partially Blocked']", ("Lane Shift", "Partially Blocked")),
        ('["it\'s", "x"]', ("it's", "x")),
        ("[]", ()),
        ("", ()),
        ("Sunny", ("Sunny",)),
        (["Sunny"], ("Sunny",)),
    ],
)
def test_tag_lists_of_every_logged_form(written: object, expected: tuple[str, ...]) -> None:
    assert values.tags(written) == expected


@pytest.mark.parametrize("written", ["[open('x')]", "['a'", "['a' 'b']", "[1, 2]", [1], 3, {}])
def test_tag_lists_of_something_else_are_refused(written: object) -> None:
    with pytest.raises(FieldError):
        values.tags(written)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, NullKind.NULL),
        (math.nan, NullKind.NULL),
        ("", NullKind.EMPTY),
        ((), NullKind.EMPTY),
        ("Unknown", NullKind.WORD),
        ("No Description", NullKind.WORD),
        (("Unknown",), NullKind.WORD),
        (("Unknown", "Sunny"), None),
        ("Sunny", None),
        (0, None),
        (0.0, None),
    ],
)
def test_null_kinds_are_told_apart(value: object, kind: NullKind | None) -> None:
    assert values.null_kind(value) is kind


@pytest.mark.parametrize("value", ["1.5", 1.5, True, None, 2**63, "9" * 5000, [], math.inf])
def test_whole_numbers_refuse_everything_else(value: object) -> None:
    with pytest.raises(FieldError):
        values.integer(value)


@pytest.mark.parametrize(("value", "number"), [("154", 154), (3.0, 3), (-2, -2)])
def test_whole_numbers_of_every_logged_form(value: object, number: int) -> None:
    assert values.integer(value) == number


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/home/u/sources/train-00011-of-00026.parquet", "train-00011-of-00026.parquet"),
        ("C:\\cache\\train-1.parquet", "train-1.parquet"),
        ("../../x.parquet", "x.parquet"),
        ("x.parquet/", "x.parquet"),
    ],
)
def test_a_parquet_path_is_only_a_name(path: str, name: str) -> None:
    assert values.parquet_name(path) == name


@pytest.mark.parametrize("path", ["../../etc/passwd", "", "x.parquet\n", "é.parquet"])
def test_a_path_to_something_else_is_no_parquet_name(path: str) -> None:
    with pytest.raises(FieldError):
        values.parquet_name(path)


@given(st.recursive(st.none() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_no_parser_raises_anything_but_field_error(value: object) -> None:
    parsers = (values.gps, values.tags, values.integer, values.natural, values.number)
    for parse in (*parsers, values.text, values.parquet_name, values.flag):
        with contextlib.suppress(FieldError):
            parse(value)


def test_lone_surrogates_of_json_become_storable() -> None:
    assert values.text(json.loads('"a\\ud800b"')) == "a\ufffdb"


@pytest.mark.parametrize("written", [14, "14", 14.0, "14.0", "+14", "014"])
def test_a_whole_number_is_one_however_it_is_written(written: object) -> None:
    assert values.integer(written) == 14


@pytest.mark.parametrize("written", [14.5, "14.5", "14.", "1e1", "", " 14", True, None, "1" * 400])
def test_anything_else_is_no_whole_number(written: object) -> None:
    with pytest.raises(FieldError):
        values.integer(written)
