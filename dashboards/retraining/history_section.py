"""What is deployed, every challenger that was judged, rolling back, and the way to a miner."""

import shlex
from functools import partial
from pathlib import Path

import altair as alt
import pandas as pd
import streamlit as st

from dashboards.parts.drawn_chart import draw_chart
from dashboards.retraining.access import Standing
from dashboards.retraining.attempts import attempt
from data.errors import RunError
from data.store import Store
from data.text import printable
from model.champion.promotions import Entry
from model.champion.succession import roll_back, rollback_target
from model.retraining.retrain_folder import OUTCOME, RetrainFolder

# Okabe and Ito's palette
_COLOURS = {"promoted": "#0072B2", "refused": "#D55E00"}
_LINE = "#8a8a8a"
_ROW_HEIGHT, _FRAME_HEIGHT, _IN_CHART = 26, 90, 20
_MOST_REPORT = 200_000


def draw_history(store: Store, standing: Standing) -> None:
    """Draw what is deployed, then what happened."""
    st.header("Deployed, and how it came to be", divider="gray")
    _draw_deployed(store, standing)
    judged = [entry for entry in standing.entries if entry.gate is not None]
    promoted = sum(entry.event == "promoted" for entry in judged)
    st.markdown(
        f"Challengers judged: **{len(judged)}**, of them promoted: **{promoted}**. Changes by a "
        f"person: {len(standing.entries) - len(judged)}."
    )
    if judged:
        draw_chart(_gains_chart(judged[-_IN_CHART:]), "Gain of each challenger with its interval.")
        if len(judged) > _IN_CHART:
            st.caption(f"The last {_IN_CHART} of {len(judged)} are drawn; the table has all.")
    if standing.entries:
        _draw_entries(standing)
    if standing.retrainings:
        _draw_retrainings(standing.retrainings)


def _draw_deployed(store: Store, standing: Standing) -> None:
    if standing.problem is not None:
        st.error("What is deployed cannot be said:", icon=":material/error:")
        st.code(printable(standing.problem), language=None, wrap_lines=True)
    elif standing.champion is None:
        st.info("Nothing is deployed yet. Name the first champion:", icon=":material/info:")
        st.code("streetreplay champion set FOLDER", language=None)
        return
    else:
        found = standing.champion
        st.text(
            f"Deployed: {printable(found.folder.name, 80)}, sha256 {found.sha256[:12]}…, by entry "
            f"{found.entry} of the promotions log."
        )
        st.caption("What a miner runs is made of it by:")
        st.code(
            f"streetreplay export champion --out out/miner --store {_argument(store.argument)}",
            language=None,
            wrap_lines=True,
        )
    _draw_rollback(store)


def _argument(text: str) -> str:
    """As a shell reads it back, in visible characters."""
    return printable(shlex.quote(text))


def _draw_rollback(store: Store) -> None:
    target = rollback_target(store)
    if target is None:
        st.caption("There is no champion before it to roll back to.")
        return
    with st.popover("Roll back …", icon=":material/undo:"):
        st.text(
            f"Make {printable(target.folder, 80)} champion again, as entry {target.entry} did on "
            f"{printable(target.at, 40)}?"
        )
        st.caption("The promotions log keeps both; nothing is deleted.")
        key = f"roll_back_{target.entry}_{target.sha256[:12]}"
        st.button(
            "Yes, roll back",
            key=key,
            type="primary",
            on_click=attempt,
            args=(partial(_roll_back_to, store, target),),
        )


def _roll_back_to(store: Store, shown: Entry) -> None:
    """Roll back, if that is still what was shown.

    Raises:
        RunError: the champion is another one by now, or as `roll_back`.
    """
    if rollback_target(store) != shown:
        raise RunError(
            "rollback", found="another champion by now", remedy="look at what is deployed again"
        )
    roll_back(store)


def _gains_chart(judged: list[Entry]) -> alt.LayerChart | alt.FacetChart:
    frame = pd.DataFrame([_gain(entry) for entry in judged])
    base = alt.Chart(frame).encode(y=alt.Y("entry:N", sort=None, title="entry"))
    colour = alt.Color(
        "event:N",
        scale=alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values())),
        legend=alt.Legend(title=None, orient="top"),
    )
    tooltip = [
        alt.Tooltip("checkpoint:N"),
        alt.Tooltip("event:N"),
        *(alt.Tooltip(f"{name}:Q", format="+.4f") for name in ("difference", "low", "high")),
        alt.Tooltip("n:Q", title="challenges"),
        alt.Tooltip("images:Q", title="source images"),
    ]
    title = "challenger minus champion, with the gate's interval"
    rules = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=title), x2="high:Q", color=colour, tooltip=tooltip
    )
    points = base.mark_point(filled=True, size=60, opacity=1).encode(
        x="difference:Q", color=colour, shape=alt.Shape("event:N", legend=None), tooltip=tooltip
    )
    zero = alt.Chart(pd.DataFrame({"x": [0.0]})).mark_rule(color=_LINE).encode(x="x:Q")
    return alt.layer(zero, rules, points, height=_FRAME_HEIGHT + _ROW_HEIGHT * len(frame))


def _gain(entry: Entry) -> dict[str, object]:
    gate = entry.gate
    assert gate is not None  # noqa: S101  (of judged ones only)
    low, high = gate.interval or (None, None)
    return {
        "entry": entry.entry,
        "checkpoint": printable(_named(entry), 60),
        "event": entry.event,
        "difference": gate.difference,
        "low": low,
        "high": high,
        "n": gate.n,
        "images": gate.images,
    }


def _named(entry: Entry) -> str:
    """The folder that tells one challenger from another: those of retrainings are all alike."""
    path = Path(entry.folder)
    return path.parent.name if path.name == "checkpoint" else path.name


def _draw_entries(standing: Standing) -> None:
    frame = pd.DataFrame(
        [_entry_row(entry, entry.entry in standing.in_effect) for entry in standing.entries[::-1]]
    )
    number = st.column_config.NumberColumn
    signed = dict.fromkeys(("Difference", "From", "To"), number(format="%+.4f"))
    scores = dict.fromkeys(("Champion", "Challenger", "Level"), number(format="%.4f"))
    st.dataframe(frame, hide_index=True, placeholder="–", column_config=signed | scores)
    st.download_button("Promotions as CSV", frame.to_csv(index=False), "promotions.csv", "text/csv")


def _entry_row(entry: Entry, in_effect: bool) -> dict[str, object]:
    gate = entry.gate
    low, high = (gate.interval if gate is not None else None) or (None, None)
    return {
        "Entry": entry.entry,
        "Event": entry.event,
        "In effect": in_effect,
        "Difference": gate and gate.difference,
        "From": low,
        "To": high,
        "Challenges": gate and gate.n,
        "Images": gate and gate.images,
        "Left out": gate and sum(gate.left_out.values()),
        "Checkpoint": printable(_named(entry), 120),
        "At": printable(entry.at, 40),
        "Why": printable("; ".join(map(str, entry.reasons)), 1000),
        "Slices that lost": gate and printable(", ".join(map(str, gate.failed_slices)), 400),
        "Statistic": gate and printable(gate.statistic, 40),
        "Champion": gate and gate.champion,
        "Challenger": gate and gate.challenger,
        "Level": gate and gate.level,
        "Attempt": gate and gate.attempt,
        "Folder": printable(entry.folder, 200),
    }


def _draw_retrainings(folders: list[RetrainFolder]) -> None:
    st.subheader("Retrainings")
    frame = pd.DataFrame([_retraining_row(folder) for folder in folders])
    minutes = st.column_config.NumberColumn(format="%.1f")
    st.dataframe(frame, hide_index=True, placeholder="–", column_config={"Minutes": minutes})
    st.download_button(
        "Retrainings as CSV", frame.to_csv(index=False), "retrainings.csv", "text/csv"
    )
    written = {folder.path.name: folder for folder in folders if _report(folder).is_file()}
    if not written:
        return
    with st.expander("Report of a retraining"):
        name = st.selectbox("Retraining, newest first", list(written))
        with _report(written[name]).open(encoding="utf-8", errors="replace") as report:
            lines = report.read(_MOST_REPORT).split("\n")
        st.code("\n".join(map(printable, lines)), language=None, wrap_lines=True)


def _report(folder: RetrainFolder) -> Path:
    return folder.path / "report.txt"


def _retraining_row(folder: RetrainFolder) -> dict[str, object]:
    outcome = folder.steps.get(OUTCOME)
    steps = list(folder.steps)
    return {
        "Retraining": printable(folder.path.name, 80),
        "Began": printable(str(folder.asked.get("started")), 60),
        "Ended": None if outcome is None else printable(str(outcome.get("at")), 40),
        "Promoted": None if outcome is None else bool(outcome.get("promoted")),
        "Steps done": printable(", ".join(map(str, steps)), 200),
        "Minutes": sum(folder.minutes.values()),
    }
