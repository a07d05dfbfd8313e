"""The measures that clusters on the map may be coloured by."""

from collections.abc import Callable
from dataclasses import dataclass

from analytics.comparison.intervals import Interval, wilson_interval
from analytics.regions.gps_clusters import GpsCluster
from dashboards.maps.mapped_clusters import MappedClusters

Value = Callable[[GpsCluster], float | None]
Ends = Callable[[GpsCluster], Interval | None]


@dataclass(frozen=True)
class Measure:
    """A number of each cluster, with its 95% interval where there is one, and how it is coloured.

    `form` is of d3. `is_signed`: 0, or 1 of a lift, divides good from bad, and has the pale colour.
    `basis` is what a cluster's n of this measure counts.
    """

    name: str
    value: Value
    interval: Ends
    form: str
    basis: str
    count: Callable[[GpsCluster], int]
    is_signed: bool = False
    reversed_colours: bool = False
    centre: float = 0.0


def measures(mapped: MappedClusters) -> dict[str, Measure]:
    """The measures of which a cluster has a value, by the key that a link names."""
    every = _of_places(mapped) | _of_replay(mapped)
    return {
        key: measure
        for key, measure in every.items()
        if any(measure.value(cluster) is not None for cluster in mapped.clusters)
    }


def place_name(name: str) -> str:
    """A cluster's name for a reader: `new_york_city (2)` is New York City (2)."""
    return name.replace("_", " ").title() if "around" not in name else name


def _of_places(mapped: MappedClusters) -> dict[str, Measure]:
    located = mapped.report.challenges.n - mapped.report.challenges.without_position
    source_rows = mapped.report.sources.n - mapped.report.sources.without_position
    weights = mapped.weights.clusters

    def lift(cluster: GpsCluster) -> float | None:
        found = weights.get(cluster.name)
        return found.lift if found else None

    return {
        "share": Measure(
            "share of challenges",
            lambda cluster: cluster.share,
            lambda cluster: wilson_interval(cluster.n, located),
            ".1%",
            "challenges",
            lambda cluster: cluster.n,
        ),
        "roadwork": Measure(
            "roadwork among challenges",
            lambda cluster: cluster.roadwork_share,
            lambda _: None,
            ".0%",
            "challenges",
            lambda cluster: cluster.n,
        ),
        "source-share": Measure(
            "share of source rows",
            lambda cluster: cluster.source_share,
            lambda cluster: wilson_interval(cluster.source_rows, source_rows),
            ".1%",
            "source rows",
            lambda cluster: cluster.source_rows,
        ),
        "weight": Measure(
            "draws by the current weights, × those without",
            lift,
            lambda _: None,
            ".2f",
            "weighted rows",
            lambda cluster: weights[cluster.name].rows if cluster.name in weights else 0,
            is_signed=True,
            centre=1.0,
        ),
    }


def _of_replay(mapped: MappedClusters) -> dict[str, Measure]:
    overlap = mapped.overlap

    def difference(cluster: GpsCluster) -> float | None:
        if cluster.mcc is None or cluster.miners_mcc is None:
            return None
        return cluster.mcc - cluster.miners_mcc

    def overlapping(cluster: GpsCluster) -> float | None:
        return overlap[cluster.name] / cluster.n if overlap and cluster.n else None

    def predicted(cluster: GpsCluster) -> int:
        return cluster.predicted

    return {
        "mcc": Measure(
            "candidate's MCC",
            lambda cluster: cluster.mcc,
            lambda cluster: cluster.own_mcc_interval,
            ".2f",
            "predicted challenges",
            predicted,
            is_signed=True,
        ),
        "accuracy": Measure(
            "candidate's accuracy",
            lambda cluster: cluster.accuracy,
            lambda cluster: cluster.accuracy_interval,
            ".0%",
            "predicted challenges",
            predicted,
        ),
        "difference": Measure(
            "candidate's MCC minus the miners'",
            difference,
            lambda cluster: cluster.mcc_interval,
            "+.2f",
            "predicted challenges",
            predicted,
            is_signed=True,
        ),
        "reward-lost": Measure(
            "reward lost to the miners",
            lambda cluster: cluster.reward_lost if cluster.answers else None,
            lambda cluster: cluster.reward_lost_interval,
            "+.3f",
            "predicted challenges",
            predicted,
            is_signed=True,
            reversed_colours=True,
        ),
        "overlap": Measure(
            "overlap with the candidate's training rows",
            overlapping,
            lambda _: None,
            ".0%",
            "challenges",
            lambda cluster: cluster.n,
        ),
    }
