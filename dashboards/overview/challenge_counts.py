"""Section: how many challenges there are of each era, label, source and augmentation level."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from analytics.queries.overview import EraCount, LabelCount, LevelCount, Overview, SourceCount
from data.records.eras import ERAS
from data.text import printable

_STARTS = {era.name: f"from {era.start:%Y-%m-%d}" for era in ERAS}
_LABELS = {0: "0 · no roadwork", 1: "1 · roadwork"}
_LEVELS = {
    -1: ("-1", "augmentation failed: sent at source size"),
    0: ("0", "centre crop or letterbox: exact"),
    1: ("1", "rotated, till E8 cropped, as logged: exact"),
    2: ("2", "unlogged light distortions: one of 8"),
    3: ("3", "unlogged strong distortions: one of 243"),
}
_SOURCES = {
    "real": "a row of the public data set",
    "synthetic": "a generated image; not public",
    "api": "from a service (E10); not public",
}


def draw_challenge_counts(overview: Overview) -> None:
    """Draw the four tables; each adds up to all challenges."""
    st.header("Challenges", divider="gray")
    st.caption(
        f"Every table holds all {overview.totals.challenges:,} challenges. The era is inferred "
        "from each record; where several fit, the earliest counts and the others are listed."
    )
    total = overview.totals.challenges
    left, right = st.columns(2)
    with left:
        _table(
            "Era", "Era: the validator's version", [_era(count) for count in overview.eras], total
        )
        _table(
            "Label",
            "Scored label",
            [_label(count) for count in overview.labels],
            total,
        )
    with right:
        _table(
            "Level",
            "Augmentation level of the image",
            [_level(count) for count in overview.levels],
            total,
        )
        _table(
            "Source", "Source of the image", [_source(count) for count in overview.sources], total
        )


def _table(name: str, title: str, rows: Sequence[tuple[str, str, int]], total: int) -> None:
    frame = pd.DataFrame(rows, columns=["value", "meaning", "challenges"])
    frame["share"] = frame["challenges"] / total
    # numbers first: on a narrow screen the last column is cut
    columns = ["value", "challenges", "share"]
    if frame["meaning"].any():
        columns.append("meaning")
    st.markdown(f"**{title}**")
    st.dataframe(
        frame,
        hide_index=True,
        column_order=columns,
        column_config={
            "value": st.column_config.TextColumn(name, width=100),
            "meaning": st.column_config.TextColumn("What it is", width=280),
            "challenges": st.column_config.NumberColumn("Challenges", format="localized", width=80),
            "share": st.column_config.ProgressColumn(
                f"Share of {total:,}",
                format="percent",
                min_value=0,
                max_value=1,
                width=110,
                color="blue",
            ),
        },
    )


def _label(count: LabelCount) -> tuple[str, str, int]:
    return _LABELS.get(count.label, str(count.label)), "", count.challenges


def _era(count: EraCount) -> tuple[str, str, int]:
    meaning = _STARTS.get(count.era, "")
    if len(count.candidates) > 1:
        others = " or ".join(name for name in count.candidates if name != count.era)
        meaning += f"; may also be {others}"
    return count.era, meaning, count.challenges


def _source(count: SourceCount) -> tuple[str, str, int]:
    if count.source is not None:
        meaning = _SOURCES.get(count.source, "unknown to StreetReplay")
        return printable(count.source, 40), meaning, count.challenges
    if count.before_sources:
        return "none logged", "before E6 all were real", count.challenges
    return "none logged", "missing, though the era logs one", count.challenges


def _level(count: LevelCount) -> tuple[str, str, int]:
    if count.level is not None:
        value, meaning = _LEVELS.get(count.level, (str(count.level), "unknown to StreetReplay"))
    elif count.unreadable:
        value, meaning = "none", "unreadable: see rejects"
    else:
        value, meaning = "none", "none logged (E10): sent at full size"
    return value, meaning, count.challenges
