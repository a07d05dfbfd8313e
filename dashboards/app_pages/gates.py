"""The Gates page: the share and gate of each view, where a model was right and where wrong."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from analytics.comparison.intervals import Interval
from analytics.gates.mean_gates import GateMeans, Measure
from analytics.queries.replay_runs import ReplayRun
from dashboards.parts import store_access
from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.gates_chart import VIEW_NAMES, intervals_chart, plane_charts
from dashboards.parts.page_head import draw_page_head
from dashboards.parts.run_choice import choose_run
from data.text import printable

_NO_RUN = (
    "No replay of a model with gates is in this store yet. In a terminal, replay a checkpoint, the "
    "folder that a training wrote:"
)
_LABELS = {"all": None, "1 · roadwork": 1, "0 · no roadwork": 0}
_MEASURES: dict[str, Measure] = {"share of the fusion": "share", "gate": "gate"}

_READING = """\
- The model puts the views together as a weighted mean. A view's **share** is its weight there: its
  gate divided by the sum of the gates of the same image. It is **not** how much of the answer comes
  from there, nor in which direction: a view of large share may speak for roadwork or against it.
- Shares of an image sum to 1, so where one view's is larger, another's is smaller. Twelve equal
  shares would be 0.083 each. Where all gates of an image are 0, so are its shares.
- A **gate** is the number from 0 to 1 that the model gives the view itself. Gates have no scale: a
  model that halves all of them answers the same. Compare views, images and models by shares.
- **0 exactly** is a view that was pruned, between layers or before the backbone. It counts as 0 in
  every mean; the table has the part of the challenges where that was so.
- **Right** and **wrong** are by the validator's rounding (half to even, so 0.5 is class 0: no
  roadwork). Where the image is one of several possible ones (levels 2 and 3), answer, shares and
  gates are means over them.
- **The plane**: the nine tiles of the grid lie as in the image; each overlaps the next by a quarter
  of its width and is drawn up to the middle of that. The whole image, its centre and its right half
  lie over the grid, so they stand below it, each in an image of its own.
- **Right minus wrong** is an association: images that are hard may also look different. The
  intervals resample source images and hold **for all views at once**; views whose interval leaves 0
  out have a heavy outline. Fewer than 10 source images on one side give none.
- Choose a label to see whether a difference is more than that of roadwork and no roadwork: right
  answers hold other shares of them than wrong ones."""


def draw_page() -> None:
    """Draw the page."""
    store = draw_page_head(
        "Gates",
        "How much weight a model gives each of its views, where it is right and where wrong.",
    )
    if store is None:
        return
    with store_access.errors_in_one_line():
        version = store_access.warehouse_version(store)
        run = choose_run(
            store_access.gated_runs(version), _NO_RUN, "streetreplay replay --model DIR"
        )
        if run is not None:
            _draw_run(version, run)


def _draw_run(version: store_access.Version, run: ReplayRun) -> None:
    if run.uses_metadata:
        st.warning(
            "**With metadata**: this run saw more than a miner does. Its shares and gates speak of "
            "the image alone, but right and wrong do not."
        )
    label = _LABELS[st.radio("Scored label", list(_LABELS), horizontal=True)]
    measure = _MEASURES[st.radio("Mean of a view's", list(_MEASURES), horizontal=True)]
    gates = store_access.gate_means(version, run.run_id, label, measure)
    _draw_counts(gates)
    if not gates.right + gates.wrong:
        st.info("No challenge is left.")
        return
    names = VIEW_NAMES
    if len(gates.views) == len(VIEW_NAMES):
        st.subheader("On the image plane")
        for column, chart in zip(st.columns(3), plane_charts(gates), strict=True):
            draw_chart(chart, f"Mean {gates.measure} of each view.", width="content", place=column)
    else:
        names = tuple(f"view {view.view}" for view in gates.views)
        st.info(f"This model has {len(gates.views)} views; where they lie is not known.")
    _draw_differences(gates, names)
    with st.expander("How to read this"):
        st.markdown(_READING)


def _draw_counts(gates: GateMeans) -> None:
    used, left_out = gates.right + gates.wrong, sum(gates.left_out.values())
    numbers = (
        ("Challenges used", used, f"{gates.several:,} of them means over possible images"),
        ("Right", gates.right, f"on {gates.right_images:,} source images"),
        ("Wrong", gates.wrong, f"on {gates.wrong_images:,} source images"),
        ("Challenges left out", left_out, "of those that the replay was asked for"),
    )
    for column, (label, number, note) in zip(st.columns(len(numbers)), numbers, strict=True):
        column.metric(label, f"{number:,}", border=True)
        column.caption(note)
    if gates.left_out:
        reasons = ", ".join(f"{count:,} × {reason}" for reason, count in gates.left_out.items())
        # as text: a reason may quote a log
        st.text(f"Left out: {printable(reasons)}")


def _draw_differences(gates: GateMeans, names: Sequence[str]) -> None:
    significant = [
        view
        for view in gates.views
        if view.interval is not None and _leaves_zero_out(view.interval)
    ]
    st.subheader("Right minus wrong")
    if gates.views[0].interval is None:
        st.caption("No intervals: right or wrong answers are on fewer than 10 source images.")
    else:
        st.caption(
            f"{len(significant)} of {len(names)} views differ by more than chance, with "
            f"{gates.level:.0%} intervals that hold for all of them at once."
        )
    draw_chart(
        intervals_chart(gates, names),
        f"Difference of each view's {gates.measure} between right and wrong answers.",
    )
    _draw_table(gates, names)


def _leaves_zero_out(interval: Interval) -> bool:
    low, high = interval
    return low > 0 or high < 0


def _draw_table(gates: GateMeans, names: Sequence[str]) -> None:
    number = st.column_config.NumberColumn
    measure = gates.measure.capitalize()
    mean, signed = number(format="%.3f"), number(format="%+.3f")
    pruned = number(format="%.0f%%", help="Part of the challenges whose gate is exactly 0.")
    rows = []
    for name, view in zip(names, gates.views, strict=True):
        low, high = view.interval or (None, None)
        rows.append(
            {
                "View": name,
                f"{measure}, right": view.right,
                f"{measure}, wrong": view.wrong,
                "Difference": view.difference,
                f"{gates.level:.0%} from": low,
                f"{gates.level:.0%} to": high,
                "Pruned, right": _percent(view.right_dropped),
                "Pruned, wrong": _percent(view.wrong_dropped),
            }
        )
    frame = pd.DataFrame(rows)
    kinds = {measure: mean, "Pruned": pruned}
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        height="content",
        column_config={
            column: kinds.get(column.split(",")[0], signed)
            for column in frame.columns
            if column != "View"
        },
    )


def _percent(part: float | None) -> float | None:
    return None if part is None else 100 * part


draw_page()
