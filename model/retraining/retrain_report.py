"""What a retraining did, as JSON and as lines for a person."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from model.promotion_gate.verdict import SliceVerdict, Verdict
from model.retraining.decide import Decision


@dataclass(frozen=True)
class RetrainReport:
    """What a retraining did; what was not reached is None.

    `views` has the mean share of each view in the fusion, of champion and challenger over the
    challenges that both answered; `minutes` are those of each step in this sitting.
    """

    folder: str | None
    decision: Decision
    power: str | None = None
    weights: Mapping[str, Any] | None = None
    verdict: Verdict | None = None
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
    """A page: decision, weights, gate, slices, views, cost."""
    yield from report.decision.sentences
    if report.power is not None:
        yield report.power
    if report.weights is not None:
        yield from _weights(report.weights)
    if report.verdict is not None:
        yield from report.verdict.reasons
        yield from map(_slice, report.verdict.slices)
    yield from (
        f"view {view}: mean share {before:.3f} -> {after:.3f}"
        for view, (before, after) in report.views.items()
    )
    if report.minutes:
        yield ", ".join(f"{step} {minutes:g} min" for step, minutes in report.minutes.items())
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
        f"{part.field} {part.value}: accuracy {part.difference:+.3f} ({low:+.3f} to {high:+.3f}) "
        f"on {part.n} challenges of {part.images} images"
    )
