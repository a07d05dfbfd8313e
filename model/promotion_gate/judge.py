"""The gate: whether a challenger takes the champion's place, as a function of arrays alone.

It does if the interval of the difference lies above zero, at the level that its attempt leaves it
(`alpha_spending.py`), and no guarded slice is shown to lose more accuracy than it may.
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy import stats

from analytics.comparison.bootstrap import MIN_IMAGES
from analytics.comparison.intervals import Interval, simultaneous_intervals
from model.promotion_gate.alpha_spending import attempt_alpha, interval_level
from model.promotion_gate.evidence import Evidence
from model.promotion_gate.guarded_slices import Membership
from model.promotion_gate.paired_differences import (
    PairedDifference,
    image_gains,
    paired_difference,
    slice_differences,
)
from model.promotion_gate.settings import GateSettings
from model.promotion_gate.verdict import SliceVerdict, Verdict


def judge(evidence: Evidence, settings: GateSettings = GateSettings(), attempt: int = 1) -> Verdict:
    """Judge a challenger; the same evidence, settings and attempt give the same verdict.

    Args:
        evidence: what both answered.
        settings: levels and bounds.
        attempt: the challenger's number on this gate set, from 1 (`gate_sets.attempt_number`).
    """
    paired = paired_difference(evidence, settings.bootstrap)
    images = evidence.champion.image_count
    interval = None
    if images >= settings.least_images:
        interval = _interval(paired, images, attempt_alpha(settings.alpha, attempt))
    slices, left_out = _slices(evidence, settings)
    against = _against(evidence, settings, interval, slices, attempt)
    level = interval_level(settings.alpha, attempt)
    return Verdict(
        promoted=not against,
        reasons=[_scores(evidence, paired, interval, level, attempt), *(against or [_FOR])],
        statistic=evidence.statistic,
        champion=paired.champion,
        challenger=paired.challenger,
        difference=paired.difference,
        interval=interval,
        level=level,
        attempt=attempt,
        n=evidence.champion.count,
        images=images,
        answers=0 if evidence.places is None else len(evidence.places.challenge),
        left_out=dict(evidence.left_out),
        slices=slices,
        slices_left_out=left_out,
        gate_set=evidence.gate_set.sha256,
        champion_id=evidence.champion_id,
        challenger_id=evidence.challenger_id,
    )


_FOR = "promoted: the interval lies above 0, and no guarded slice is shown to lose too much"


def _interval(paired: PairedDifference, images: int, alpha: float) -> Interval:
    """Two-sided, of level 1 - 2 alpha: Student's t times the standard error.

    A quantile of so small a tail would rest on a draw or two.
    """
    half = float(stats.t.ppf(1 - alpha, images - 1)) * paired.error
    return paired.difference - half, paired.difference + half


def _slices(
    evidence: Evidence, settings: GateSettings
) -> tuple[list[SliceVerdict], dict[str, int]]:
    """The guarded slices, worst first; by field, how many have too few images."""
    images = evidence.champion.images
    large = [part for part in evidence.slices if len(np.unique(images[part.members])) >= MIN_IMAGES]
    kept = {(part.field, part.value) for part in large}
    left_out = Counter(evidence.small_slices)
    left_out.update(part.field for part in evidence.slices if (part.field, part.value) not in kept)
    verdicts = _slice_verdicts(evidence, large, settings)
    # by the room that is left to the bound
    verdicts.sort(key=lambda part: (part.interval[1] + part.bound, part.field, part.value))
    return verdicts, dict(left_out)


def _slice_verdicts(
    evidence: Evidence, slices: Sequence[Membership], settings: GateSettings
) -> list[SliceVerdict]:
    if not slices:
        return []
    differences = slice_differences(evidence, slices, settings.bootstrap)
    intervals = simultaneous_intervals(differences.points, differences.draws, settings.slice_level)
    return [
        SliceVerdict(
            field=part.field,
            value=part.value,
            n=int(differences.n[index]),
            images=int(differences.images[index]),
            champion=float(differences.champion[index]),
            challenger=float(differences.champion[index] + differences.points[index]),
            difference=float(differences.points[index]),
            interval=(float(intervals[index, 0]), float(intervals[index, 1])),
            bound=settings.bounds[part.field],
        )
        for index, part in enumerate(slices)
    ]


def _against(
    evidence: Evidence,
    settings: GateSettings,
    interval: Interval | None,
    slices: Sequence[SliceVerdict],
    attempt: int,
) -> list[str]:
    """Why the challenger is not promoted, a sentence each; none if it is."""
    reasons = []
    if "challenger" in evidence.training_unknown:
        reasons.append(
            "refused: the rows that the challenger was trained on are not known, so it may have "
            "seen these images"
        )
    if interval is None:
        reasons.append(
            f"refused: {evidence.champion.image_count} source images are fewer than the "
            f"{settings.least_images} that an interval needs"
        )
    elif not interval[0] > 0:
        reasons.append("refused: the interval does not lie above 0")
    elif (differing := np.count_nonzero(image_gains(evidence))) < (
        least := _least_differing(attempt_alpha(settings.alpha, attempt))
    ):
        reasons.append(
            f"refused: only {differing} source images tell the two apart, {least} are needed"
        )
    reasons += [
        f"refused: {part.field} {part.value} loses accuracy, {part.difference:+.3f} "
        f"({part.interval[0]:+.3f} to {part.interval[1]:+.3f}, all slices at once) on "
        f"{part.n} challenges; {part.bound:g} is allowed"
        for part in slices
        if part.fails
    ]
    return reasons


def _least_differing(alpha: float) -> int:
    """How many source images have to tell two models apart.

    With fewer, chance alone favours one model in all of them more often than `alpha` (the sign
    test), and the interval of so few is too short.
    """
    return math.ceil(math.log2(1 / alpha))


def _scores(
    evidence: Evidence,
    paired: PairedDifference,
    interval: Interval | None,
    level: float,
    attempt: int,
) -> str:
    names = {"reward": "reward in miners' places", "mcc": "MCC"}
    words = (
        f"{names[evidence.statistic]} {paired.challenger:.4f} against the champion's "
        f"{paired.champion:.4f}: {paired.difference:+.4f}"
    )
    if interval is not None:
        words += f" ({interval[0]:+.4f} to {interval[1]:+.4f} at {level:.2%})"
    count, images = evidence.champion.count, evidence.champion.image_count
    return f"{words} on {count} challenges of {images} images, attempt {attempt} on them"
