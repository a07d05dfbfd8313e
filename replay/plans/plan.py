"""Plans a rebuild before any image is read: a fidelity and variants for each challenge."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from data.errors import SourceError
from data.records.stored_challenge import StoredChallenge
from data.sources.shards import Shards
from replay.rebuilding.fidelity import Fidelity, Reason
from replay.rebuilding.variants import Variant, distortion_combinations, sampled_variants
from replay.settings import VariantSettings

# Images that are rows of no public data set.
_UNSHARED_SOURCES = {"synthetic": Reason.SYNTHETIC, "api": Reason.API}


@dataclass(frozen=True)
class Planned:
    """One challenge of a plan: its images, or why there are none.

    `variants` are its possible images with their weights: one where exact, several where a
    distribution, none where impossible; `detail` says for a person what the reason is about.
    """

    challenge: StoredChallenge
    fidelity: Fidelity
    variants: tuple[Variant, ...] = ()
    reason: Reason | None = None
    detail: str | None = None


def plan(
    challenges: Iterable[StoredChallenge],
    shards: Shards,
    settings: VariantSettings = VariantSettings(),
) -> list[Planned]:
    """Plan a rebuild of `challenges`, in their order, from the sources at hand.

    Args:
        challenges: what to rebuild.
        shards: the source images.
        settings: how many images of a level 2 or 3 challenge.
    """
    return [_plan(challenge, shards, settings) for challenge in challenges]


def _plan(challenge: StoredChallenge, shards: Shards, settings: VariantSettings) -> Planned:
    if (obstacle := obstacle_of(challenge, shards)) is not None:
        reason, detail = obstacle
        return Planned(challenge, Fidelity.IMPOSSIBLE, reason=reason, detail=detail)
    variants = sampled_variants(challenge.augmentation.aug_level, challenge.challenge_id, settings)
    # by what is possible, not by what was sampled: one sample may well be the undistorted image
    exact = len(distortion_combinations(challenge.augmentation.aug_level)) == 1
    return Planned(challenge, Fidelity.EXACT if exact else Fidelity.DISTRIBUTION, variants)


def obstacle_of(challenge: StoredChallenge, shards: Shards) -> tuple[Reason, str | None] | None:
    """Why no image of a challenge can be rebuilt, with a detail; None if nothing prevents it.

    No image is read, so a rebuild may still find that it is damaged or another one.
    """
    if challenge.source in _UNSHARED_SOURCES:
        return _UNSHARED_SOURCES[challenge.source], None
    if challenge.parquet is None or challenge.row is None:
        return Reason.UNNAMED, None
    if challenge.augmentation.geometry is None:
        return Reason.PARAMETERS, None
    return _missing(challenge.parquet, challenge.row, shards)


def _missing(parquet: str, row: int, shards: Shards) -> tuple[Reason, str] | None:
    if (parquet, row) in shards.cached:
        return None
    if parquet not in shards:
        unfinished = shards.unfinished_download(parquet)
        begun = "" if unfinished is None else f": {unfinished.name} is an unfinished download of it"
        return Reason.SHARD_MISSING, parquet + begun
    try:
        if shards.locations(parquet, row):
            return None
        rows = shards[parquet].rows
    except SourceError as error:
        return Reason.BYTES, str(error)
    return Reason.ROW_MISSING, f"row {row} of {rows} in {parquet}"


def in_reading_order(planned: Iterable[Planned]) -> list[Planned]:
    """Sorted by shard and row, so that each row group is read once and each source decoded once."""
    return sorted(
        planned,
        key=lambda p: (p.challenge.parquet or "", p.challenge.row or 0, p.challenge.challenge_id),
    )


def counts(planned: Iterable[Planned]) -> dict[str, int]:
    """How many challenges of each fidelity, those without an image by reason; most first."""
    return dict(Counter(str(p.reason or p.fidelity) for p in planned).most_common())
