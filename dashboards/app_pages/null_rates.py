"""The NULL rates page: which metadata fields hold no value, and what that alone gives away."""

import pandas as pd
import streamlit as st

from analytics.comparison.intervals import Interval
from analytics.leaks.null_kinds import KINDS, LabelGap, NullKinds, chosen, label_gaps
from analytics.leaks.null_leak import NullLeak
from dashboards.nulls.era_drift import draw_era_drift
from dashboards.nulls.null_charts import KIND_NAMES, kinds_heatmap, labels_chart
from dashboards.nulls.null_evidence import null_evidence, strongest_leaks
from dashboards.parts import store_access
from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.page_head import draw_page_head
from dashboards.parts.percent import in_percent
from data.text import printable

_NO_CHALLENGE = "This store holds no challenge yet. In a terminal, read a validator's log:"
_ALL = "all"
_LABELS = {_ALL: None, "0 · no roadwork": 0, "1 · roadwork": 1}

_READING = """\
- A field is **NULL** if the record lacks its key (*absent*), holds a JSON *null*, an *empty* text
  or list, or *a word* such as "Unknown" that says the same. Unreadable values are left out of n.
- **Rates** are over source images, each counted once, with Wilson's 95% interval; an image counts
  as NULL only if none of its challenges has a value. Choose an era, a source or a label above.
- **MCC** is of the rule "a value means roadwork", from -1 to 1, over challenges: 0 says nothing
  about the label, 1 gives it away, and so does -1, the other way round. **Bits** is the mutual
  information with the label, of at most those of the label itself. Both have 95% intervals over
  resampled source images; fewer than 10 images give none. Each holds for its field alone.
- A rule that uses NULL-ness says nothing of roads. Miners see the image alone, so a candidate that
  is fed metadata is no fair comparison: image-only results are the headline.
- **Drift** is the difference from the era before, among challenges of the same source; that of
  source rows is from the newest era's real images, which are a sample of them. Newcombe's interval,
  Fisher's exact test, Holm over all tests. Images that two eras share make it too cautious.
"""


def draw_page() -> None:
    """Draw the page."""
    store = draw_page_head(
        "NULL rates", "Which metadata fields hold no value, and what that alone gives away."
    )
    if store is None:
        return
    with store_access.errors_in_one_line():
        version = store_access.images_version(store)
        leaks = strongest_leaks(version, None, None)
        if not leaks:
            st.info(_NO_CHALLENGE, icon=":material/info:")
            st.code("streetreplay ingest LOG", language=None)
            return
        for sentence in _answer(leaks):
            st.markdown(sentence)
        _draw_evidence(version)
        with st.expander("How to read this"):
            st.markdown(_READING)


def _draw_evidence(version: store_access.Version) -> None:
    evidence = null_evidence(version)
    left, middle, right = st.columns(3)
    with left:
        era = _choice("Era", evidence.eras, "era")
    with middle:
        source = _choice("Source", evidence.sources, "source")
    with right:
        label = _LABELS[st.selectbox("Label", list(_LABELS), key="label", bind="query-params")]
    rows = chosen(evidence.kinds, era, source, label)
    if rows:
        _draw_kinds(rows)
    else:
        st.info("No challenge is of that era, source and label.")
    _draw_labels(strongest_leaks(version, era, source), label_gaps(evidence.kinds, era, source))
    draw_era_drift(evidence.rates, evidence.kinds, source)


def _choice(name: str, values: list[str], key: str) -> str | None:
    """One of these, or None for all; a log may name a source as it likes."""
    by_label = {_ALL: None} | {printable(value, 40): value for value in values}
    return by_label[st.selectbox(name, list(by_label), key=key, bind="query-params")]


def _answer(leaks: list[NullLeak]) -> list[str]:
    """What NULL-ness alone gives away: the strongest field, then the others."""
    first, *others = leaks
    if first.mcc is None:
        return [
            f"All {first.n:,} challenges have one label, so NULL-ness of a field cannot give it "
            "away here."
        ]
    known = [leak for leak in others if _is_sure(leak)]
    if not _is_sure(first):
        return [
            "No field's NULL-ness gives the label away by more than chance: the strongest is "
            f"`{first.field}`, {_in_words(first)}."
        ]
    sentences = [
        f"Whether **{first.field}** is NULL {_strength(first)} the label: {_in_words(first)}. A "
        f"model that is fed the field can answer without looking; {_rule(first)}."
    ]
    if known:
        sentences.append(
            f"So do {len(known)} of the {len(others)} other fields by more than chance (at 95% "
            f"each), most of all `{known[0].field}`, {_in_words(known[0])}: {_rule(known[0])}."
        )
    else:
        sentences.append(f"None of the {len(others)} other fields does by more than chance.")
    return sentences


def _is_sure(leak: NullLeak) -> bool:
    return leak.mcc_interval is not None and not (leak.mcc_interval[0] <= 0 <= leak.mcc_interval[1])


def _strength(leak: NullLeak) -> str:
    return "gives away" if abs(leak.mcc or 0.0) >= 1 - 1e-9 else "tells much of"


def _rule(leak: NullLeak) -> str:
    return f"{'a value' if (leak.mcc or 0.0) > 0 else 'a NULL'} goes with roadwork"


def _in_words(leak: NullLeak) -> str:
    mcc = "no MCC" if leak.mcc is None else f"MCC {leak.mcc:.2f}"
    return (
        f"{mcc}{_ends(leak.mcc_interval)} on {leak.n:,} challenges of "
        f"{leak.images:,} source images, {leak.left_out:,} unreadable left out"
    )


def _ends(interval: Interval | None) -> str:
    return "" if interval is None else f" (95% {interval[0]:.2f} to {interval[1]:.2f})"


def _draw_kinds(rows: list[NullKinds]) -> None:
    st.subheader("How often each field is NULL, and how")
    draw_chart(kinds_heatmap(rows), "NULL rate of every field by kind of NULL.")
    largest = max(one.n + one.unreadable for one in rows)
    unreadable = sum(one.unreadable for one in rows)
    st.caption(
        f"Percent of {largest:,} source images ({rows[0].challenges:,} challenges); {unreadable:,} "
        "unreadable values are left out of their field's rate."
    )
    frame = pd.DataFrame([_kinds_row(one) for one in rows])
    shares = ["Rate", "95% from", "95% to"]
    st.dataframe(
        in_percent(frame, shares),
        hide_index=True,
        placeholder="–",
        height="content",
        column_config=dict.fromkeys(shares, st.column_config.NumberColumn(format="%.1f%%")),
    )
    st.download_button(
        "Download as CSV", frame.to_csv(index=False), "null_kinds.csv", "text/csv", key="kinds"
    )


def _kinds_row(one: NullKinds) -> dict[str, object]:
    low, high = one.interval("any")
    return {
        "Field": one.field,
        "Rate": one.rate("any"),
        "95% from": low if one.n else None,
        "95% to": high if one.n else None,
        "n": one.n,
        "Left out": one.unreadable,
        **{f"NULL: {KIND_NAMES[kind]}": one.count(kind) for kind in KINDS},
    }


def _draw_labels(leaks: list[NullLeak], gaps: dict[str, LabelGap]) -> None:
    st.subheader("What NULL-ness says about the label")
    if not gaps:
        st.write("Challenges of that era and source have one label, so nothing tells it.")
        return
    draw_chart(labels_chart(gaps), "NULL rate of every field by label, with 95% intervals.")
    rows = []
    for leak in leaks:
        gap = gaps[leak.field]
        mcc, bits, ends = leak.mcc_interval, leak.bits_interval, gap.interval
        rows.append(
            {
                "Field": leak.field,
                "MCC": leak.mcc,
                "MCC from": mcc and mcc[0],
                "MCC to": mcc and mcc[1],
                "Bits": leak.bits,
                "Bits from": bits and bits[0],
                "Bits to": bits and bits[1],
                "n": leak.n,
                "Left out": leak.left_out,
                "Images": leak.images,
                "NULL of label 0": gap.zero.rate("any"),
                "NULL of label 1": gap.one.rate("any"),
                "Difference": gap.difference,
                "95% from": ends and ends[0],
                "95% to": ends and ends[1],
            }
        )
    frame = pd.DataFrame(rows)
    number, shares = st.column_config.NumberColumn, ["NULL of label 0", "NULL of label 1"]
    signed = ("MCC", "MCC from", "MCC to", "Difference", "95% from", "95% to")
    st.dataframe(
        in_percent(frame, shares),
        hide_index=True,
        placeholder="–",
        height="content",
        column_config={
            **dict.fromkeys(shares, number(format="%.1f%%")),
            **dict.fromkeys(signed, number(format="%+.2f")),
            **dict.fromkeys(("Bits", "Bits from", "Bits to"), number(format="%.3f")),
        },
    )
    st.download_button(
        "Download as CSV", frame.to_csv(index=False), "null_leaks.csv", "text/csv", key="leaks"
    )


draw_page()
