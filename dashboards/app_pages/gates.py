"""The Gates page: where a model looks where it is right and where wrong, by group and over time."""

import streamlit as st

from analytics.gates.block_sums import Measure
from analytics.queries.replay_runs import ReplayRun
from dashboards.gates import access
from dashboards.gates.answer import answer, left_out_sentence
from dashboards.gates.difference_section import draw_differences
from dashboards.gates.entropy_section import draw_entropy
from dashboards.gates.groups_section import choose_field, draw_groups
from dashboards.gates.other_run_section import choose_other, draw_other_run
from dashboards.gates.plane_section import draw_planes
from dashboards.gates.weights_section import draw_weights
from dashboards.parts.linked_choice import linked_choice
from dashboards.parts.page_head import draw_page_head
from dashboards.parts.run_choice import choose_run
from dashboards.parts.store_access import Version, errors_in_one_line, images_version
from dashboards.parts.view_cells import VIEW_NAMES

_NO_RUN = (
    "No replay of a model with gates is in this store yet. In a terminal, replay a checkpoint, the "
    "folder that a training wrote:"
)
_LABELS = {"all": "both", "1": "1 · roadwork", "0": "0 · no roadwork"}
_MEASURES = {"share": "share of the fusion", "gate": "gate"}

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
- **Entropy** of an image's shares is 0 bits where one view has all, 3.58 where twelve are alike; 2
  to its power is how many equal views would be as spread. Parts of the log are of equal length of
  time, or of its order where no challenge has a time. Their intervals hold one by one.
- **Right minus wrong** is an association: images that are hard may also look different. The
  intervals resample blocks of source images, 200 at most, and hold **for all views at once**;
  views whose interval leaves 0 out have a heavy outline. Fewer than 10 source images on one side
  give none.
- Choose a label to see whether a difference is more than that of roadwork and no roadwork: right
  answers hold other shares of them than wrong ones. Intervals of a group hold for its views at
  once, not for all groups.
- Challenges that overlap with what the candidate was trained on (by row, by video, within 100 m)
  are left out, as far as its replay says what that was."""


def draw_page() -> None:
    """Draw the page."""
    store = draw_page_head(
        "Gates",
        "How much weight a model gives each of its views, where it is right and where wrong.",
    )
    if store is None:
        return
    with errors_in_one_line():
        version = images_version(store)
        runs = access.runs(version)
        run = choose_run(runs, _NO_RUN, "streetreplay replay --model DIR")
        if run is not None:
            _draw_run(version, run, runs)
    with st.expander("How to read this"):
        st.markdown(_READING)


def _draw_run(version: Version, run: ReplayRun, runs: list[ReplayRun]) -> None:
    if run.uses_metadata:
        st.warning(
            "**With metadata**: this run saw more than a miner does. Its shares and gates speak of "
            "the image alone, but right and wrong do not."
        )
    left, middle, right = st.columns([1, 1, 2])
    with left:
        label = linked_choice("Scored label", _LABELS, "label")
    with middle:
        measure: Measure = (
            "gate" if linked_choice("Mean of a view's", _MEASURES, "mean") == "gate" else "share"
        )
    with right:
        other = choose_other(runs, run.run_id)
    answered = st.container()
    chosen = access.Chosen(version, run.run_id, None if label == "all" else int(label), measure)
    pictures, by_group = st.container(), st.container()
    with by_group:
        st.subheader("By group")
        field = choose_field()
    shown = access.shown_gates(chosen, field)
    gates = shown.means
    names = _names(len(gates.views))
    with answered:
        if gates.challenges:
            for sentence in answer(gates, names, shown.entropy):
                st.markdown(sentence)
        else:
            st.info("No challenge is left.", icon=":material/info:")
        st.text(left_out_sentence(gates))
    if not gates.challenges:
        return
    with pictures:
        if names == VIEW_NAMES:
            draw_planes(version, run.run_id, gates)
        else:
            st.info(f"This model has {len(names)} views; where they lie is not known.")
        draw_differences(gates, names)
    with by_group:
        draw_groups(shown.groups, measure, names, field)
    entropy = {run.run_id: shown.entropy}
    if other is not None:
        beside = access.Chosen(version, other, chosen.label, measure)
        entropy[other] = access.shown_gates(beside, field).entropy
    draw_entropy(entropy, len(names))
    if other is not None:
        draw_other_run(chosen, other, names)
    draw_weights(version, run.run_id, run.selected)


def _names(views: int) -> tuple[str, ...]:
    if views == len(VIEW_NAMES):
        return VIEW_NAMES
    return tuple(f"view {number}" for number in range(1, views + 1))


draw_page()
