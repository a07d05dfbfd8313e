"""Settings of a replay; in a file of their own, so that the command line need not load OpenCV."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class VariantSettings:
    """How many of a challenge's possible images are built, and the seed of draws and noise.

    `count` None means every combination, a noisy one with one sample of its noise. With fewer than
    there are, combinations are drawn without repeats, stratified by the level of noise; a mean over
    N of them errs by at most 0.5 / sqrt(N) (one standard error).
    """

    count: int | None = 16
    seed: int = 0


@dataclass(frozen=True)
class ReplaySettings:
    """How large a part may grow, and the seed of the noise of level 3.

    `challenges` a part, and `image_bytes` of decoded images that it holds in memory.
    """

    challenges: int = 64
    image_bytes: int = 64 * 2**20
    seed: int = 0


def recorded_settings(described: Mapping[str, Any]) -> ReplaySettings:
    """The settings that a run's `run.json` tells; defaults for what an older one does not."""
    written, defaults = described.get("settings"), ReplaySettings()
    known = written if isinstance(written, Mapping) else {}
    return replace(
        defaults,
        **{
            name: type(value)(known[name])
            for name, value in asdict(defaults).items()
            if name in known
        },
    )
