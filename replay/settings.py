"""Settings of a replay; in a file of their own, so that the command line need not load OpenCV."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from data.errors import RunError


class Arithmetic(StrEnum):
    """How the validator's processor rounded the positions that a rotated frame's pixels come from.

    A log does not say which (DOMAIN.md §2, "Processors"). Either is computed on any machine.
    """

    AVX2 = "avx2"
    """round(x * a) + round(y * b): MKL's AVX2 and older paths, and AMD."""
    AVX512 = "avx512"
    """fma(y, b, round(x * a)): MKL on Intel processors with AVX-512."""

    @property
    def other(self) -> "Arithmetic":
        """The one of the two that this is not."""
        return Arithmetic.AVX512 if self is Arithmetic.AVX2 else Arithmetic.AVX2


def inputs_name(*, uses_metadata: bool) -> str:
    """What a candidate was given, as printed texts name it."""
    return "image and metadata" if uses_metadata else "image-only"


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
    """How large a part may grow, and how images are built.

    `challenges` a part, and `image_bytes` of decoded images that it holds in memory; `seed` of the
    noise of level 3; `arithmetic` of the validator's processor.
    """

    challenges: int = 64
    image_bytes: int = 64 * 2**20
    seed: int = 0
    arithmetic: Arithmetic = Arithmetic.AVX2


def recorded_settings(described: Mapping[str, Any]) -> ReplaySettings:
    """The settings that a run's `run.json` records; defaults for what an older one does not.

    Raises:
        RunError: a value is none that this version knows.
    """
    written, defaults = described.get("settings"), ReplaySettings()
    known = written if isinstance(written, Mapping) else {}
    try:
        recorded = {
            name: type(value)(known[name])
            for name, value in asdict(defaults).items()
            if name in known
        }
    except (TypeError, ValueError) as error:
        raise RunError(
            f"settings of {described.get('run_id')}",
            found=error,
            expected="those of this version",
            remedy="replay again",
        ) from None
    return replace(defaults, **recorded)
