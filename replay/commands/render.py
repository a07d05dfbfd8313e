"""The command `render`: rebuilds what miners saw; Numba and OpenCV load only when it runs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analytics.lives.options import LogRunOption, ValidatorOption
from data.remote_store.opening import open_store
from data.terminal import JsonOption, SourcesOption, StoreOption, note, print_json, print_table, say
from data.terminal_progress import progress
from replay.commands.options import (
    DEFAULT_VARIANTS,
    ArithmeticOption,
    LimitOption,
    SeedOption,
    VariantsOption,
    variant_settings,
)
from replay.settings import Arithmetic, VariantSettings

if TYPE_CHECKING:
    from analytics.queries.challenges import ChallengeSelection
    from data.sources.shards import Shards
    from replay.pictures.jpeg_files import Rendered, RenderSettings
    from replay.plans.plan import Plan

app = typer.Typer()

OutOption = Annotated[
    Path,
    typer.Option(
        "--out",
        help="Folder of the JPEG files; of more than 1,000, subfolders hold them by the first two "
        "digits of the challenge id, or by two and two more.",
    ),
]
ChallengesArgument = Annotated[
    list[str] | None, typer.Argument(help="Challenge ids [default: all].", metavar="CHALLENGE")
]
SizeOption = Annotated[
    int | None,
    typer.Option(
        "--size",
        min=32,
        max=4096,
        help="Side of the images in pixels, for research: no miner saw another than 224.",
    ),
]
SheetOption = Annotated[
    Path | None,
    typer.Option(
        "--sheet",
        metavar="PNG",
        help="Also draw the first challenges on a contact sheet (.png, .pdf or .svg): each "
        "source with its crop, what became of it, and the recorded parameters.",
    ),
]


@app.command(epilog="Example: streetreplay render --out /tmp/images --limit 20")
def render(
    out: OutOption,
    challenges: ChallengesArgument = None,
    validator: ValidatorOption = None,
    log_run: LogRunOption = None,
    limit: LimitOption = None,
    variants: VariantsOption = DEFAULT_VARIANTS,
    seed: SeedOption = 0,
    arithmetic: ArithmeticOption = Arithmetic.AVX2,
    size: SizeOption = None,
    sheet: SheetOption = None,
    store: StoreOption = None,
    sources: SourcesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the images that miners saw, as JPEG files.

    In the order of the log, one validator's after another's. With --json one line a challenge:
    fidelity (exact, distribution, impossible), the reason where there is no image, and for each
    possible image SHA-256 of pixels and JPEG, file, probability, whether it holds simulated noise,
    and SHA-256 of its pixels by the other --arithmetic with the number of values that differ there.
    Other possible images that an earlier render left in the folder are deleted. Status 1 where
    there is no image.
    """
    from analytics.queries.challenges import ChallengeSelection  # noqa: PLC0415

    selection = ChallengeSelection(
        ids=tuple(challenges or ()), validator=validator, run=log_run, limit=limit
    )
    plan, shards = _plan(sheet, store, sources, selection, variant_settings(variants, seed))
    from replay.augmentation.augment import SIDE  # noqa: PLC0415
    from replay.pictures.jpeg_files import RenderSettings, check_rendered  # noqa: PLC0415
    from replay.pictures.jpeg_files import render as render_images  # noqa: PLC0415

    settings = RenderSettings(seed, size or SIDE, arithmetic)
    with progress("rebuilding", len(plan)) as on_progress:
        rendered = render_images(plan, shards, out, settings, on_progress)
    if sheet is not None:
        _draw_sheet(sheet, plan, shards, settings)
    if as_json:
        for challenge in rendered:
            print_json(asdict(challenge))
    else:
        _print_rendered(rendered, out)
    check_rendered(rendered)


def _plan(
    sheet: Path | None,
    store: Path | None,
    sources: str | None,
    selection: "ChallengeSelection",
    settings: VariantSettings,
) -> tuple["Plan", "Shards"]:
    """Plan the challenges, once it is sure that a contact sheet of them can be written."""
    from replay.plans.store_plan import plan_of_store  # noqa: PLC0415

    if sheet is not None:
        from replay.pictures.contact_sheet import check_sheet  # noqa: PLC0415

        check_sheet(sheet)
    return plan_of_store(open_store(store), sources, selection, settings)


def _draw_sheet(
    path: Path, plan: "Plan", shards: "Shards", render_settings: "RenderSettings"
) -> None:
    from replay.pictures.cards import SheetSettings  # noqa: PLC0415
    from replay.pictures.contact_sheet import draw_sheet  # noqa: PLC0415

    settings = SheetSettings(rendering=render_settings)
    with progress("contact sheet", min(len(plan), settings.challenge_count)) as on_progress:
        summary = draw_sheet(plan, shards, path, settings, on_progress)
    note(f"contact sheet {path}: {summary}")


def _print_rendered(rendered: Sequence["Rendered"], out: Path) -> None:
    written = sum(len(challenge.files) for challenge in rendered)
    say(f"{written} images of {len(rendered)} challenges in {out}")
    reasons = Counter(
        challenge.reason or str(challenge.fidelity) for challenge in rendered if not challenge.files
    )
    if reasons:
        print_table("without an image", ("reason", "challenges"), reasons.most_common())
