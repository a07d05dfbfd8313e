"""The tables beside a challenge: its recorded augmentation, and its record with kinds of NULL."""

from collections.abc import Mapping
from typing import Any

from data.records.eras import ERA_BY_NAME
from data.records.types import NullKind
from data.text import printable

_NULL_KINDS = {
    NullKind.ABSENT: "key absent",
    NullKind.NULL: "null in the log",
    NullKind.EMPTY: "empty in the log",
    NullKind.WORD: "a word that means null",
    NullKind.UNREADABLE: "unreadable: see rejects",
}
_VALUE_LENGTH = 300

# Label and column of `media` in the order shown; those with a kind of NULL have `<column>_null`
# beside them.
_RECORD = {
    "Challenge": "challenge_id",
    "Log file": "file",
    "Position": "position",
    "W&B run": "run_id",
    "W&B step": "step",
    "Time (UTC)": "time",
    "Era": "era",
    "Era by": "era_evidence",
    "Source": "source",
    "Source's label": "metadata_label",
    "Shard": "parquet",
    "Row": "row",
    "Data set's id": "source_id",
    "GPS": "gps",
    "City": "city",
    "Daytime": "daytime",
    "Environment": "environment",
    "Weather": "weather",
    "Change of travel": "travel_alteration",
    "Description": "scene_description",
    "Prompt": "prompt",
    "Generator": "model_name",
}


def augmentation_rows(record: Mapping[str, Any]) -> list[dict[str, str]]:
    """Name and value of each recorded parameter of a row of `media`."""
    geometry, level = record["geometry"], record["aug_level"]
    rows = {
        "Geometry": "unreadable" if geometry is None else str(geometry),
        "Level": "none logged" if level is None else str(level),
        "Rotation": _degrees(record["angle"]),
    }
    if geometry == "crop":
        rows["Crop"] = _crop(record)
    if geometry == "letterbox":
        padding = ", ".join(str(side) for side in record["letterbox_padding"] or ())
        rows["Letterbox"] = f"{record['letterbox_width']} × {record['letterbox_height']} pixels"
        rows["Padding left, top, right, bottom"] = padding
    for side in ("horizontal", "vertical"):
        rows[f"Flip, {side}"] = "applied" if record[f"flip_{side}"] else "not applied"
    return [{"Parameter": name, "Value": value} for name, value in rows.items()]


def _degrees(angle: float | None) -> str:
    if angle is None:
        return "none"
    return f"{abs(angle):.2f}° {'counter-clockwise' if angle > 0 else 'clockwise'}"


def _crop(record: Mapping[str, Any]) -> str:
    if record["crop_width"] is None:
        return "centre square (level 0)"
    return (
        f"{record['crop_width']} × {record['crop_height']} pixels at left {record['crop_left']}, "
        f"top {record['crop_top']}"
    )


def record_rows(record: Mapping[str, Any]) -> list[dict[str, str]]:
    """Name, value and kind of NULL of what the log says; values of a log as plain text."""
    rows = []
    for name, column in _RECORD.items():
        value, kind = _text(record, column), record.get(f"{column}_null")
        why_empty = "" if value else "not in this log"
        if kind is not None:
            why_empty = _NULL_KINDS[NullKind(kind)]
        rows.append({"Field": name, "Value": value, "Why empty": why_empty})
    return rows


def _text(record: Mapping[str, Any], column: str) -> str:
    if column == "gps":
        latitude, longitude = record["gps_lat"], record["gps_lon"]
        if latitude is None or longitude is None:
            return ""
        return f"{latitude:.6f}, {longitude:.6f}"
    value = record[column]
    if column == "source" and value is None:
        logs_source = ERA_BY_NAME[record["era"]].logs_source
        return "none logged" if logs_source else "none logged (before E6: real)"
    if column == "era" and len(record["era_candidates"]) > 1:
        value = f"{value} (possible: {', '.join(record['era_candidates'])})"
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return "" if value is None else printable(str(value), _VALUE_LENGTH)
