"""Options that several commands of this package share, and what they mean."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from replay.settings import Arithmetic, VariantSettings

_DEFAULT_VARIANTS = VariantSettings().count


def utc_time(text: str) -> datetime:
    """The time that an ISO 8601 text means, in UTC; without an offset it is UTC already.

    Raises:
        typer.BadParameter: it is no such text.
    """
    try:
        time = datetime.fromisoformat(text.strip())
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"found {text!r}; expected ISO 8601, such as 2026-01-31, 2026-01-31T12:00:00.5Z or "
            "2026-01-31T12:00+02:00"
        ) from None


EraOption = Annotated[
    list[str] | None, typer.Option("--era", help="Only this era, such as E7; repeat for several.")
]
LevelOption = Annotated[
    list[int] | None,
    typer.Option("--level", min=-1, max=3, help="Only this level; repeat for several."),
]
_TIME = "UTC, or with an offset such as +02:00."
SinceOption = Annotated[
    datetime | None,
    typer.Option(
        "--since",
        metavar="TIME",
        parser=utc_time,
        help=f"Only challenges logged at or after this time, {_TIME}",
    ),
]
UntilOption = Annotated[
    datetime | None,
    typer.Option(
        "--until",
        metavar="TIME",
        parser=utc_time,
        help=f"Only challenges logged before this time, {_TIME}",
    ),
]
MinerOption = Annotated[
    str | None, typer.Option("--miner", help="Only challenges that UID or UID:HOTKEY was asked.")
]
SampleOption = Annotated[
    int | None,
    typer.Option("--sample", metavar="N", min=1, help="Only N random challenges, drawn by --seed."),
]
SeedOption = Annotated[
    int, typer.Option("--seed", min=0, help="Seed of the random sample, of variants and of noise.")
]
ArithmeticOption = Annotated[
    Arithmetic,
    typer.Option(
        "--arithmetic",
        help="How the validator's processor rounds rotations: avx512 on Intel with AVX-512, "
        "else avx2. A log does not say; in some images a few values differ, by one grey level.",
    ),
]
LimitOption = Annotated[
    int | None,
    typer.Option("--limit", metavar="N", min=0, help="Only the first N challenges in log order."),
]
VariantsOption = Annotated[
    str,
    typer.Option(
        "--variants",
        help="Images of each level 2 or 3 challenge: how many, or all. A mean over N is off by at "
        "most 0.5 / sqrt(N), one standard error.",
    ),
]
DEFAULT_VARIANTS = str(_DEFAULT_VARIANTS)


def variant_settings(variants: str, seed: int) -> VariantSettings:
    """What `--variants` and `--seed` mean.

    Raises:
        typer.BadParameter: neither `all` nor a number of at least 1.
    """
    if variants == "all":
        return VariantSettings(None, seed)
    if not (variants.isascii() and variants.isdigit() and int(variants) > 0):
        raise typer.BadParameter(f"found {variants!r}; expected all, or a number of at least 1")
    return VariantSettings(int(variants), seed)
