"""A name for each rebuilt image, from what determines its pixels: equal names, equal images."""

import hashlib
import json
from dataclasses import asdict
from functools import cache
from importlib.metadata import version

from data.records.stored_challenge import StoredChallenge
from data.sources.shards import Shards
from replay.augmentation.augment import is_rotated
from replay.rebuilding.variants import Variant
from replay.settings import Arithmetic

# Raised when rebuilt images or the meaning of a part changes, so that nothing old is reused.
REPLAY_VERSION = 3

PACKAGES = ("numpy", "opencv-python-headless", "pillow", "torch", "torchvision")
"""What decodes, resizes, distorts and encodes, and what looks at images."""


@cache
def packages() -> dict[str, str]:
    """Versions of `PACKAGES`."""
    return {package: version(package) for package in PACKAGES}


class ImageKeys:
    """Cache keys of a replay's images, for what was computed from them.

    A source counts by the fingerprint of its shard and its row (or by the contents of the cached
    image), so that no image is read to name it.
    """

    def __init__(self, shards: Shards, seed: int, arithmetic: Arithmetic) -> None:
        """Take the source images, the seed of the noise, and the arithmetic of rotation."""
        self._shards, self._seed, self._arithmetic = shards, seed, arithmetic
        self._sources: dict[tuple[str, int], str] = {}

    def key(self, challenge: StoredChallenge, variant: Variant) -> str:
        """SHA-256 in hexadecimal of all that determines one image of a challenge.

        Raises:
            KeyError: the source is not here; a plan with an image holds no such challenge.
        """
        decisive = {
            "replay_version": REPLAY_VERSION,
            "packages": packages(),
            "source": self._source(challenge.parquet or "", challenge.row or 0),
            # what a source is checked against: a record of another source has no image
            "record": [challenge.source_id, challenge.gps, challenge.image_size],
            "augmentation": asdict(challenge.augmentation),
            "arithmetic": self._arithmetic if is_rotated(challenge.augmentation) else None,
            "distortions": asdict(variant.distortions),
            # noise is generated anew for each challenge and combination
            "noise": [self._seed, challenge.challenge_id, variant.index] if variant.noisy else None,
        }
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()

    def _source(self, parquet: str, row: int) -> str:
        source = (parquet, row)
        if source not in self._sources:
            fingerprints = self._shards.fingerprints([source])
            self._sources[source] = f"{json.dumps(fingerprints, sort_keys=True)} {row}"
        return self._sources[source]
