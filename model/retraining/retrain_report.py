"""What a retraining did, as JSON and as lines for a person."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from model.promotion_gate.verdict import SliceVerdict, Verdict
from model.retraining.cluster_changes import ClusterChange
from model.retraining.decide import Decision


@dataclass(frozen=True)
class RetrainReport:
    """What a retraining did; what was not reached is None.

    `clusters` are both models by place. `views` has the mean share of each view in the fusion, of
    champion and challenger over the challenges that both answered; `minutes` were spent on each
    step, in all sittings.
    """

    folder: str | None
    decision: Decision
    power: str | None = None
    weights: Mapping[str, Any] | None = None
    verdict: Verdict | None = None
    clusters: Sequence[ClusterChange] = ()
    views: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    minutes: Mapping[str, float] = field(default_factory=dict)

    @property
    def promoted(self) -> bool:
        """Whether there is a new champion."""
        return self.verdict is not None and self.verdict.promoted


def report_json(report: RetrainReport) -> dict[str, Any]:
    """The report of JSON's own types."""
    return asdict(report) | {"promoted": report.promoted}


def report_lines(report: RetrainReport) -> Iterator[str]:
    """A page: decision, weights, gate, before and after by slice and cluster, views, cost."""
    yield from report.decision.sentences
    if report.power is not None:
        yield report.power
    if report.weights is not None:
        yield from _weights(report.weights)
    if report.verdict is not None:
        yield from report.verdict.reasons
        yield from _left_out("challenges left out", report.verdict.left_out)
        yield from map(_slice, report.verdict.slices)
        yield from _left_out("slices of too few images", report.verdict.slices_left_out)
    yield from map(_cluster, report.clusters)
    yield from (
        f"view {view}: mean share {before:.3f} -> {after:.3f}"
        for view, (before, after) in report.views.items()
    )
    if report.minutes:
        yield ", ".join(f"{step} {minutes:.2f} min" for step, minutes in report.minutes.items())
    if report.folder is not None:
        yield f"all of it is in {report.folder}"


def _weights(weights: Mapping[str, Any]) -> Iterator[str]:
    """Factors, and what they make of the draws."""
    for factor in weights["factors"]:
        why = "" if factor["reason"] is None else f": {factor['reason']}"
        yield (
            f"factor {factor['name']}: {factor['least']:.3g} to {factor['most']:.3g}, mean "
            f"{factor['mean']:.3g}, not 1 for {factor['rows']} of {weights['rows']} rows{why}"
        )
    yield f"effective sample size {weights['effective']:.0f} of {weights['rows']} rows"
    if (draws := weights["draws"]) is not None:
        before, after = draws["before"], draws["after"]
        yield f"draws near the targets: {before:.0%} without weights, {after:.0%} with them"


def _slice(part: SliceVerdict) -> str:
    low, high = part.interval
    return (
        f"{part.field} {part.value}: accuracy {part.champion:.3f} -> {part.challenger:.3f}, "
        f"{part.difference:+.3f} ({low:+.3f} to {high:+.3f}, all slices at once) on {part.n} "
        f"challenges of {part.images} images"
    )


def _cluster(part: ClusterChange) -> str:
    interval = "too few for an interval"
    if part.interval is not None:
        interval = f"{part.interval[0]:+.3f} to {part.interval[1]:+.3f}, all clusters at once"
    return (
        f"GPS cluster {part.name}: MCC {part.champion:.3f} -> {part.challenger:.3f}, "
        f"{part.difference:+.3f} ({interval}) on {part.n} challenges of {part.images} images, "
        f"{part.left_out} left out"
    )


def _left_out(what: str, counts: Mapping[str, int]) -> Iterator[str]:
    if counts:
        yield f"{what}: " + ", ".join(f"{count} {reason}" for reason, count in counts.items())
