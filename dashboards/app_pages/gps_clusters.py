"""The GPS clusters page: where challenges are from, and how a candidate does there, on a map."""

import pandas as pd
import streamlit as st

from analytics.regions.gps_clusters import GpsCluster
from dashboards.maps.cluster_map import cluster_map, extent
from dashboards.maps.cluster_moves import draw_cluster_moves
from dashboards.maps.mapped_clusters import MappedClusters, clusters_with_scores, mapped_clusters
from dashboards.maps.measures import measures, place_name
from dashboards.maps.outlines import Box
from dashboards.parts import store_access
from dashboards.parts.drawn_chart import draw_chart
from dashboards.parts.page_head import draw_page_head
from dashboards.parts.percent import in_percent
from dashboards.parts.run_choice import choose_run
from data.errors import QueryError

_NO_RUN = "No candidate has been replayed yet, so the map shows places alone. In a terminal:"
_NO_POSITION = "Nothing in this store has a GPS position, so there is no map. In a terminal:"
_NO_CLUSTER = "No {least} different positions lie together, so there is no cluster."

_EXTENTS = ("where the clusters are", "the whole country")

_READING = """\
- A **cluster** is a town or a metropolitan area: GPS positions of challenges and of source rows,
  grouped by HDBSCAN on the sphere; groups nearer than 50 km are one. It bears the name of the
  nearest city of the public data set, with a number where several share it.
- **Left out** are challenges without GPS (synthetic images have none) and positions within 150 km
  of no cluster. Circles are as large as their cluster has challenges; grey ones have no value of
  the chosen measure. Labels that would overlap a larger cluster's are left out of the map, never
  of the table.
- **MCC** is 1 for all right and 0 for guessing, over the miners' answers to challenges of the
  cluster that the candidate predicted, each beside the candidate's answer; there is none where all
  have one label. What the candidate was trained on, as far as its replay says, is left out.
- **Accuracy** is the part of these answers that is right: it says little where one label is rare.
- **MCC minus the miners'**: the same of the pooled miners on the same challenges. Intervals (95%)
  resample source images; fewer than 10 images or 30 answers give none. Each holds for its cluster
  alone: among many, one in twenty misses.
- **Reward lost** is how much more mean reward over the whole log the candidate would earn had it
  answered there as the miners did: above 0 it loses. Clusters' losses do not add up, for a window
  of a validator spans several.
- **Overlap**: the share of the challenges that show a row, a video or a place (within 100 m) of the
  candidate's training rows.
- **Draws by the current weights**: how often training draws the cluster's rows by the weights that
  `streetreplay weights` last wrote, as a multiple of draws without weights.
- Outlines of states: U.S. Census Bureau, TIGER/Line, as the package bokeh_sampledata ships them.
  Every position of a record lies in the United States: others are rejected as not the data set's.
"""


def draw_page() -> None:
    """Draw the page."""
    store = draw_page_head(
        "GPS clusters", "Where challenges are from, and where a candidate wins and loses."
    )
    if store is None:
        return
    with store_access.errors_in_one_line():
        version = store_access.images_version(store)
        run = choose_run(
            store_access.replay_runs(version), _NO_RUN, "streetreplay replay --model orange"
        )
        try:
            mapped = mapped_clusters(version, None if run is None else run.run_id)
        except QueryError:
            st.info(_NO_POSITION, icon=":material/info:")
            st.code("streetreplay ingest LOG", language=None)
            return
        if run is not None and run.uses_metadata:
            st.warning(
                "**With metadata**: this run saw more than a miner does. Its scores here are not "
                "the main result."
            )
        if run is not None:
            mapped = clusters_with_scores(version, mapped, run.run_id)
        _draw_clusters(mapped)
        with st.expander("How to read this"):
            st.markdown(_READING)


def _draw_clusters(mapped: MappedClusters) -> None:
    if not mapped.clusters:
        st.info(_NO_CLUSTER.format(least=5), icon=":material/info:")
        return
    for sentence in _answer(mapped):
        st.markdown(sentence)
    _draw_map(mapped)
    _draw_table(mapped)
    _draw_next(mapped)
    draw_cluster_moves(mapped.shares)


def _answer(mapped: MappedClusters) -> list[str]:
    """Where most challenges are, what was left out, and where the candidate is worst."""
    counts, first = mapped.report.challenges, mapped.clusters[0]
    located = counts.n - counts.without_position
    sentences = [
        f"Most challenges are from **{place_name(first.name)}**: {first.n:,} of {located:,} with "
        f"GPS ({_share(first.share)}), in {len(mapped.clusters)} clusters. Left out: "
        f"{counts.without_position:,} of {counts.n:,} without GPS, {counts.elsewhere:,} in no "
        "cluster."
        if located
        else f"None of {counts.n:,} challenges has GPS: the clusters are of source rows."
    ]
    scored = [one for one in mapped.clusters if one.mcc is not None and one.mcc_interval]
    if scored:
        sentences.append(_worst(min(scored, key=_behind), len(scored), mapped))
    return sentences


def _behind(cluster: GpsCluster) -> float:
    return (cluster.mcc or 0.0) - (cluster.miners_mcc or 0.0)


def _worst(worst: GpsCluster, scored: int, mapped: MappedClusters) -> str:
    low, high = worst.mcc_interval or (0.0, 0.0)
    left_out = sum(mapped.report.run_left_out.values())
    if low > 0:
        place = "The candidate is ahead of the miners in every cluster, least in"
    else:
        place = "The candidate is worst beside the miners in"
    chance = "" if high < 0 or low > 0 else ", which may be chance"
    return (
        f"{place} **{place_name(worst.name)}**: MCC {worst.mcc:.2f} against {worst.miners_mcc:.2f} "
        f"on {worst.predicted:,} challenges (difference {_behind(worst):+.2f}, 95% {low:+.2f} to "
        f"{high:+.2f}{chance}). {scored} of {len(mapped.clusters)} clusters are large enough to "
        f"tell; {left_out:,} challenges without a usable prediction are left out."
    )


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _draw_map(mapped: MappedClusters) -> None:
    choices = measures(mapped)
    by_name = {choice.name: choice for choice in choices.values()}
    start = choices.get("mcc", next(iter(choices.values())))
    left, right = st.columns(2)
    with left:
        name = st.selectbox(
            "Colour",
            list(by_name),
            index=list(by_name).index(start.name),
            key="colour",
            bind="query-params",
        )
    places = {place_name(cluster.name): cluster for cluster in mapped.clusters}
    with right:
        area = st.selectbox("Map of", [*_EXTENTS, *places], key="area", bind="query-params")
    measure = by_name[name]
    box: Box | None = None
    if area != _EXTENTS[1]:
        box = extent([places[area]] if area in places else mapped.clusters)
    draw_chart(cluster_map(mapped.clusters, measure, box), "Map of the GPS clusters.")
    unknown = sum(measure.value(cluster) is None for cluster in mapped.clusters)
    st.caption(
        f"Circles are sized by the number of challenges. {unknown} of {len(mapped.clusters)} "
        f"clusters have no value of “{measure.name}”."
    )


def _draw_table(mapped: MappedClusters) -> None:
    frame = pd.DataFrame([_row(cluster, mapped) for cluster in mapped.clusters])
    number = st.column_config.NumberColumn
    accuracy = ("Accuracy", "Accuracy, 95% from", "Accuracy, 95% to")
    shares = ["Share", "Roadwork", "Share of rows", "Rows: roadwork", "Overlap", *accuracy]
    own = ("MCC", "MCC, 95% from", "MCC, 95% to", "Miners' MCC")
    signed = ("MCC − miners", "95% from", "95% to")
    lost = ("Reward lost", "Lost, 95% from", "Lost, 95% to")
    st.dataframe(
        in_percent(frame, shares),
        hide_index=True,
        placeholder="–",
        height="content",
        column_config={
            **dict.fromkeys(shares, number(format="%.1f%%")),
            **dict.fromkeys(own, number(format="%.2f")),
            **dict.fromkeys(signed, number(format="%+.2f")),
            **dict.fromkeys(lost, number(format="%+.3f")),
            **dict.fromkeys(("Latitude", "Longitude"), number(format="%.3f")),
            "95% within km": number(format="%.1f"),
            "Draws ×": number(format="%.2f"),
        },
    )
    st.download_button(
        "Download as CSV", frame.to_csv(index=False), "gps_clusters.csv", "text/csv", key="clusters"
    )


def _row(cluster: GpsCluster, mapped: MappedClusters) -> dict[str, object]:
    low, high = cluster.mcc_interval or (None, None)
    own_low, own_high = cluster.own_mcc_interval or (None, None)
    accuracy_low, accuracy_high = cluster.accuracy_interval or (None, None)
    lost_low, lost_high = cluster.reward_lost_interval or (None, None)
    overlap, weight = mapped.overlap, mapped.weights.clusters.get(cluster.name)
    return {
        "Cluster": place_name(cluster.name),
        "Challenges": cluster.n,
        "Share": cluster.share,
        "Roadwork": cluster.roadwork_share,
        "Predicted": cluster.predicted,
        "Answers": cluster.answers,
        "Accuracy": cluster.accuracy,
        "Accuracy, 95% from": accuracy_low,
        "Accuracy, 95% to": accuracy_high,
        "MCC": cluster.mcc,
        "MCC, 95% from": own_low,
        "MCC, 95% to": own_high,
        "Miners' MCC": cluster.miners_mcc,
        "MCC − miners": None if cluster.mcc is None else _behind(cluster),
        "95% from": low,
        "95% to": high,
        "Reward lost": cluster.reward_lost if cluster.answers else None,
        "Lost, 95% from": lost_low,
        "Lost, 95% to": lost_high,
        "Overlap": overlap[cluster.name] / cluster.n if overlap and cluster.n else None,
        "Source rows": cluster.source_rows,
        "Share of rows": cluster.source_share,
        "Rows: roadwork": cluster.source_roadwork_share,
        "Draws ×": None if weight is None else weight.lift,
        "Positions": cluster.positions,
        "95% within km": cluster.radius_km,
        "Latitude": cluster.latitude,
        "Longitude": cluster.longitude,
    }


def _draw_next(mapped: MappedClusters) -> None:
    st.subheader("What to do next")
    st.markdown(_effect_of_weights(mapped))
    st.page_link(
        "app_pages/retraining.py",
        label="Retraining: weigh the source rows, and train a challenger",
        icon=":material/model_training:",
    )
    st.write("Or in a terminal:")
    commands = "streetreplay weights --out weights.parquet\nstreetreplay retrain --if-needed"
    st.code(commands, language=None)


def _effect_of_weights(mapped: MappedClusters) -> str:
    """What the current weights do to draws, most and least."""
    weights = mapped.weights
    if not weights.rows:
        return (
            "No weights have been made yet: training draws every source row alike. They raise rows "
            "where challenges are from and where the candidate loses."
        )
    if not weights.clusters:
        return f"None of the {weights.rows:,} weighted source rows is in a cluster here."
    ranked = sorted(weights.clusters.items(), key=lambda pair: (-pair[1].lift, pair[0]))
    (first, most), (last, least) = ranked[0], ranked[-1]
    lowered = (
        f", and draw {place_name(last)} least: {least.weight_share:.0%} of draws, "
        f"{least.row_share:.0%} of rows (× {least.lift:.2f})"
        if len(ranked) > 1
        else ""
    )
    return (
        f"The current weights, of {weights.rows:,} source rows ({weights.elsewhere:,} in no "
        f"cluster of this store), raise **{place_name(first)}** most: {most.weight_share:.0%} of "
        f"draws, {most.row_share:.0%} of rows (× {most.lift:.2f}){lowered}."
    )


draw_page()
