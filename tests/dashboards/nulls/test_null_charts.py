"""Charts of NULL rates: what is drawn is what was counted."""

from typing import Any

from analytics.leaks.null_kinds import LabelGap, NullKinds
from dashboards.nulls.null_charts import eras_heatmap, kinds_heatmap, labels_chart

CITY = NullKinds("city", "E7", None, 0, 30, 20, 2, 1, 2, 3, 4)
GPS = NullKinds("gps", "E7", None, 0, 30, 1000, 0, 3, 0, 0, 0)
NONE = NullKinds("row", "E7", None, 0, 3, 0, 3, 0, 0, 0, 0)


def drawn(chart: dict[str, Any]) -> list[dict[str, Any]]:
    (rows,) = chart["datasets"].values()
    return list(rows)


def test_a_cell_for_every_field_and_kind() -> None:
    rows = drawn(kinds_heatmap([CITY, GPS, NONE]).to_dict())
    assert len(rows) == 15
    texts = {(row["field"], row["column"]): row["text"] for row in rows}
    assert texts["city", "any"] == "50"
    assert texts["city", "absent"] == "5"
    assert texts["city", "a word"] == "20"
    # a rate is said to be 0 only where it is
    assert texts["gps", "any"] == "<1"
    assert texts["gps", "null"] == "0"
    assert texts["row", "any"] == "–"
    assert [row["low"] for row in rows if row["field"] == "row"] == [None] * 5


def test_eras_are_columns() -> None:
    later = NullKinds("city", "E10", None, 0, 30, 20, 2, 0, 0, 0, 0)
    chart = eras_heatmap([CITY, later], ["E7", "E10"]).to_dict()
    assert {(row["column"], row["rate"]) for row in drawn(chart)} == {("E7", 0.5), ("E10", 0.0)}
    assert chart["layer"][0]["encoding"]["x"]["sort"] == ["E7", "E10"]


def test_fields_that_differ_most_by_label_come_first() -> None:
    one = NullKinds("city", None, None, 1, 9, 9, 0, 9, 0, 0, 0)
    same = NullKinds("gps", None, None, 1, 1000, 1000, 0, 3, 0, 0, 0)
    gaps = {"gps": LabelGap(GPS, same), "city": LabelGap(CITY, one)}
    chart = labels_chart(gaps).to_dict()
    assert chart["layer"][0]["encoding"]["y"]["sort"] == ["city", "gps"]
    rows = drawn(chart)
    assert [(row["label"], row["rate"]) for row in rows if row["field"] == "city"] == [
        ("0 · no roadwork", 0.5),
        ("1 · roadwork", 1.0),
    ]
