"""A plan made one object after another, as it was before plans were columns: an oracle."""

import hashlib
from collections.abc import Sequence

import numpy as np

from data.records.stored_challenge import StoredChallenge
from data.sources.shards import Shards
from replay.plans.plan import Planned
from replay.rebuilding.fidelity import Fidelity, Reason
from replay.rebuilding.variants import Variant, distortion_combinations
from replay.settings import ReplaySettings, VariantSettings


def listed_plan(
    challenges: Sequence[StoredChallenge], shards: Shards, settings: VariantSettings
) -> list[Planned]:
    """The plan of challenges whose sources, if any, are readable shards; in their order."""
    return [_planned(challenge, shards, settings) for challenge in challenges]


def _planned(challenge: StoredChallenge, shards: Shards, settings: VariantSettings) -> Planned:
    reason, detail = _obstacle(challenge, shards)
    if reason is not None:
        return Planned(challenge, Fidelity.IMPOSSIBLE, reason=reason, detail=detail)
    level = challenge.augmentation.aug_level
    fidelity = Fidelity.DISTRIBUTION if level in (2, 3) else Fidelity.EXACT
    return Planned(challenge, fidelity, _variants(level, challenge.challenge_id, settings))


def _obstacle(challenge: StoredChallenge, shards: Shards) -> tuple[Reason | None, str | None]:
    if challenge.source in ("synthetic", "api"):
        return Reason.API if challenge.source == "api" else Reason.SYNTHETIC, None
    if challenge.parquet is None or challenge.row is None:
        return Reason.UNNAMED, None
    if challenge.augmentation.geometry is None:
        return Reason.PARAMETERS, None
    if challenge.parquet not in shards:
        return Reason.SHARD_MISSING, challenge.parquet
    if not shards.locations(challenge.parquet, challenge.row):
        rows = shards[challenge.parquet].rows
        return Reason.ROW_MISSING, f"row {challenge.row} of {rows} in {challenge.parquet}"
    return None, None


def _variants(
    level: int | None, challenge_id: str, settings: VariantSettings
) -> tuple[Variant, ...]:
    combinations = distortion_combinations(level)
    total = len(combinations)
    count = total if settings.count is None else min(settings.count, total)
    if count == total:
        order = range(total)
    else:
        rng = np.random.default_rng([settings.seed, int(challenge_id, 16)])
        strata = 3 if level == 3 else 1
        shuffled = rng.permuted(np.arange(total).reshape(strata, -1), axis=1).ravel()
        places = ((rng.random() + np.arange(count)) * total / count).astype(int)
        order = shuffled[places].tolist()
    return tuple(Variant(combinations[index], 1 / count, index) for index in order)


def in_reading_order(planned: Sequence[Planned]) -> list[Planned]:
    return sorted(
        planned,
        key=lambda p: (p.challenge.parquet or "", p.challenge.row or 0, p.challenge.challenge_id),
    )


def listed_parts(planned: Sequence[Planned], settings: ReplaySettings) -> list[list[Planned]]:
    """The parts of a plan in reading order."""
    parts: list[list[Planned]] = []
    part: list[Planned] = []
    for item in planned:
        full = len(part) >= settings.challenges
        size = sum(map(image_bytes, part)) + image_bytes(item)
        if part and (full or size > settings.image_bytes):
            parts.append(part)
            part = []
        part.append(item)
    return [*parts, part] if part else parts


def image_bytes(item: Planned) -> int:
    width, height = 224, 224
    if item.challenge.augmentation.geometry == "none" and item.challenge.image_size is not None:
        width, height = item.challenge.image_size
    return len(item.variants) * width * height * 3


def listed_sha256(planned: Sequence[Planned]) -> str:
    """The hash of a plan in reading order."""
    digest = hashlib.sha256()
    for item in planned:
        variants = " ".join(f"{variant.index}:{variant.weight!r}" for variant in item.variants)
        digest.update(f"{item.challenge.challenge_id} {variants} {item.reason}\n".encode())
    return digest.hexdigest()
