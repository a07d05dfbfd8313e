"""How many source images the gate needs, before anything is trained.

The difference of two models' scores is a mean over source images, so its variance is that between
images divided by their number. A pilot (an earlier challenger on the same champion, or an assumed
one) gives the variance between images, through the validator's windows.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from analytics.comparison.paired_answers import Challenges, Flags
from model.promotion_gate.alpha_spending import attempt_alpha
from model.promotion_gate.evidence import Evidence
from model.promotion_gate.paired_differences import image_gains, paired_difference
from model.promotion_gate.settings import GateSettings, PowerSettings


@dataclass(frozen=True)
class GatePower:
    """What a gate can find.

    Attributes:
        statistic: reward or mcc.
        difference: true difference that is to be found.
        power: the chance, 0..1, wanted.
        alpha: one-sided, that the attempt may spend.
        attempt: the challenger's number on the gate set.
        deviation: the standard deviation of the paired difference between source images, as the
            pilot showed it.
        images_needed: source images for that power; made larger for the pilot's own error.
        challenges_needed: about as many challenges show so many images.
        images: source images at hand.
        challenges: challenges at hand.
        power_here: the chance to promote with these.
        smallest_here: the smallest difference that these find with the wanted power.
        pilot: where the deviation is from, in words.
    """

    statistic: str
    difference: float
    power: float
    alpha: float
    attempt: int
    deviation: float
    images_needed: int
    challenges_needed: int
    images: int
    challenges: int
    power_here: float
    smallest_here: float
    pilot: str

    @property
    def sentence(self) -> str:
        """All of it, for a person."""
        enough = "enough" if self.images >= self.images_needed else "too few"
        return (
            f"to find a true difference of {self.difference:g} {self.statistic} in "
            f"{self.power:.0%} of all cases, attempt {self.attempt} on this gate set needs "
            f"{self.images_needed} source images (about {self.challenges_needed} challenges); "
            f"{self.images} ({self.challenges}) are here, {enough}: they find it in "
            f"{self.power_here:.0%}, and {self.smallest_here:.3f} in {self.power:.0%} "
            f"(by {self.pilot})"
        )


def gate_power(
    pilot: Evidence,
    settings: PowerSettings = PowerSettings(),
    gate: GateSettings = GateSettings(),
    attempt: int = 1,
    source: str = "an earlier challenger",
) -> GatePower:
    """What a gate of the pilot's kind finds.

    Args:
        pilot: answers of the champion and of another model, such as `assumed_challenger` makes.
        settings: what is to be found, and how surely.
        gate: of the gate to come.
        attempt: the number of the challenger to come on its gate set.
        source: where the pilot is from, in words.
    """
    images, challenges = pilot.champion.image_count, pilot.champion.count
    variance = images * paired_difference(pilot, gate.bootstrap).error ** 2
    alpha = attempt_alpha(gate.alpha, attempt)
    assured = variance * _variance_margin(pilot, settings.assurance)
    normal = stats.norm
    quantiles = float(normal.isf(alpha) + normal.ppf(settings.power))
    needed = math.ceil(assured * (quantiles / settings.difference) ** 2)
    needed = max(needed, gate.least_images)
    error = math.sqrt(variance / images)
    reached = settings.difference / error if error else math.inf
    return GatePower(
        statistic=pilot.statistic,
        difference=settings.difference,
        power=settings.power,
        alpha=alpha,
        attempt=attempt,
        deviation=math.sqrt(variance),
        images_needed=needed,
        challenges_needed=math.ceil(needed * challenges / images),
        images=images,
        challenges=challenges,
        power_here=float(normal.sf(normal.isf(alpha) - reached)),
        smallest_here=quantiles * error,
        pilot=source,
    )


def _variance_margin(pilot: Evidence, assurance: float) -> float:
    """The variance's upper confidence limit as a multiple of its estimate, at least 1.

    A pilot that happens to show little variance would ask for too small a gate (Browne 1995,
    Statistics in Medicine 14). The limit is chi-squared's, with degrees of freedom by the kurtosis
    of the gains of images, which are mostly 0 (Box 1953, Biometrika 40).
    """
    gains = image_gains(pilot)
    centred = gains - gains.mean()
    second = float((centred**2).mean())
    if second == 0:
        return 1.0
    kurtosis = float((centred**4).mean()) / second**2
    freedom = 2 * len(gains) / max(kurtosis - 1, 1e-9)
    return max(1.0, freedom / float(stats.chi2.ppf(1 - assurance, freedom)))


def assumed_challenger(pilot: Evidence, disagreement: float, seed: int = 0) -> Evidence:
    """The champion against a model that is assumed to be as good, and to differ from it.

    Where no challenger was ever replayed there is no variance to measure. The assumed one answers
    the opposite on a share of the source images: on as many that the champion answers wrong as
    right, as far as there are wrong ones.

    Args:
        pilot: the champion's answers; its challenger's are not looked at.
        disagreement: share of source images, 0..1, of at least two of them.
        seed: of the draw of images.
    """
    champion = pilot.champion
    generator = np.random.default_rng(seed)
    wrong = _wrong_images(champion)
    half = max(1, round(disagreement * len(wrong) / 2))
    flipped = [generator.permutation(np.flatnonzero(side)) for side in (wrong, ~wrong)]
    # where the champion is wrong too seldom the rest are right ones
    fixed = min(half, len(flipped[0]))
    chosen = np.concatenate([flipped[0][:fixed], flipped[1][: 2 * half - fixed]])
    turned = np.isin(champion.images, chosen)
    of_variants = np.repeat(turned, np.diff(champion.starts))
    # above the threshold becomes not above it
    probabilities = np.where(of_variants, 1 - champion.probabilities, champion.probabilities)
    return replace(
        pilot,
        challenger=replace(champion, probabilities=probabilities),
        challenger_id=f"assumed to differ on {disagreement:.0%} of source images",
    )


def _wrong_images(challenges: Challenges) -> Flags:
    """(images,), whether more of an image's answers are wrong than right."""
    shares = challenges.positive_shares()
    wrong = np.where(challenges.labels == 1, 1 - shares, shares)
    counts = np.bincount(challenges.images, minlength=challenges.image_count)
    return np.asarray(np.bincount(challenges.images, wrong) > counts / 2)
