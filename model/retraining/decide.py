"""Whether a retraining is due: evidence in, decision and reasons out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from analytics.comparison.intervals import Interval
from analytics.comparison.multiple_tests import holm
from model.retraining.drift import Drift
from model.retraining.settings import DecisionSettings


@dataclass(frozen=True)
class Evidence:
    """What has changed since the champion was trained.

    `cities` is the drift of the cities' shares, `nulls` that of each field's NULL rate, `gates` of
    the views' shares in the champion's replay; None where one of the periods has no challenge.
    `reward` is the change of the champion's reward less that of the miners in whose places it
    stood, later minus earlier, with its interval at `DecisionSettings.level`. `new_eras` are eras
    that came since. `new_rows` are source rows that the champion has not seen. `now` and `last`,
    the time of the last retraining, are UTC.
    """

    now: datetime
    last: datetime | None
    new_rows: int
    cities: Drift | None = None
    nulls: Mapping[str, Drift] = field(default_factory=dict)
    gates: Drift | None = None
    reward: tuple[float, Interval] | None = None
    new_eras: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """Whether to retrain; why, and what keeps it from being due, each a sentence."""

    due: bool
    reasons: tuple[str, ...]
    hindrances: tuple[str, ...]

    @property
    def sentences(self) -> list[str]:
        """All of it, for a person."""
        due = "a retraining is due" if self.due else "no retraining is due"
        said = [f"{due}: {'; '.join(self.reasons) or 'nothing drifted'}"]
        return said + [f"not now: {hindrance}" for hindrance in self.hindrances]


def decide(evidence: Evidence, settings: DecisionSettings = DecisionSettings()) -> Decision:
    """Decide whether a retraining is due.

    It is where there is a reason and nothing hinders it. A drift is a reason where its size less
    that of chance is beyond the bound, and the test says no chance, all tests together (Holm).
    """
    reasons = (
        *_drifts(evidence, settings),
        *_reward(evidence, settings),
        *(f"era {era} is new" for era in evidence.new_eras),
    )
    hindrances = tuple(_hindrances(evidence, settings))
    return Decision(bool(reasons) and not hindrances, reasons, hindrances)


@dataclass(frozen=True)
class JudgedDrift:
    """A drift beside the bound that is tolerated; `p_value` is adjusted for all tests together."""

    name: str
    drift: Drift
    tolerated: float
    p_value: float
    is_reason: bool


def judged_drifts(
    evidence: Evidence, settings: DecisionSettings = DecisionSettings()
) -> list[JudgedDrift]:
    """Every drift that was looked for, and whether it is a reason to retrain."""
    named = _named_drifts(evidence, settings)
    adjusted = holm(np.array([drift.p_value for _, drift, _ in named]))
    return [
        JudgedDrift(
            name=name,
            drift=drift,
            tolerated=bound,
            p_value=float(p_value),
            is_reason=bool(drift.beyond_chance > bound and p_value < 1 - settings.level),
        )
        for (name, drift, bound), p_value in zip(named, adjusted, strict=True)
    ]


def _drifts(evidence: Evidence, settings: DecisionSettings) -> list[str]:
    return [
        f"{feature.name} drifted by {feature.drift.size:.3f} ({feature.drift.chance:.3f} by chance "
        f"alone; tolerated: {feature.tolerated:g}), from {feature.drift.before} to "
        f"{feature.drift.after} challenges, p {feature.p_value:.2g}"
        for feature in judged_drifts(evidence, settings)
        if feature.is_reason
    ]


def _named_drifts(evidence: Evidence, settings: DecisionSettings) -> list[tuple[str, Drift, float]]:
    """Name, drift and the bound that it is held against."""
    named = [
        ("cities' shares", evidence.cities, settings.city_share),
        *(
            (f"NULL rate of {name}", drift, settings.null_rate)
            for name, drift in sorted(evidence.nulls.items())
        ),
        ("views' shares", evidence.gates, settings.gate_share),
    ]
    return [(name, drift, bound) for name, drift, bound in named if drift is not None]


def _reward(evidence: Evidence, settings: DecisionSettings) -> list[str]:
    if evidence.reward is None:
        return []
    change, (low, high) = evidence.reward
    if high >= -settings.reward:
        return []
    return [
        f"the champion's reward fell by {-change:.3f} against the miners' ({-high:.3f} to "
        f"{-low:.3f}; tolerated: {settings.reward:g})"
    ]


def _hindrances(evidence: Evidence, settings: DecisionSettings) -> list[str]:
    hindrances = []
    if evidence.last is not None:
        days = (evidence.now - evidence.last).total_seconds() / 86400
        if days < settings.cool_down_days:
            hindrances.append(
                f"the last retraining was {max(days, 0.0):.1f} days ago (cool-down: "
                f"{settings.cool_down_days:g})"
            )
    if evidence.new_rows < settings.new_rows:
        hindrances.append(
            f"{evidence.new_rows} source rows are new to the champion (enough: {settings.new_rows})"
        )
    return hindrances
