"""The command that rebuilds what miners saw; Numba and OpenCV are imported only when it runs."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analytics.lives.options import LogRunOption, ValidatorOption
from data.store import open_store
from data.terminal import (
    JsonOption,
    SourcesOption,
    StoreOption,
    note,
    print_json,
    print_table,
    progress,
    say,
)
from replay.commands.options import (
    DEFAULT_VARIANTS,
    ArithmeticOption,
    LimitOption,
    SeedOption,
    VariantsOption,
    variant_settings,
)
from replay.settings import Arithmetic

if TYPE_CHECKING:
    from data.sources.shards import Shards
    from replay.pictures.jpeg_files import RenderSettings
    from replay.plans.plan import Planned

app = typer.Typer()


@app.command(epilog="Example: streetreplay render --out /tmp/images --limit 20")
def render(
    out: Annotated[Path, typer.Option("--out", help="Folder of the JPEG files.")],
    challenges: Annotated[
        list[str] | None, typer.Argument(help="Challenge ids [default: all].", metavar="CHALLENGE")
    ] = None,
    validator: ValidatorOption = None,
    log_run: LogRunOption = None,
    limit: LimitOption = None,
    variants: VariantsOption = DEFAULT_VARIANTS,
    seed: SeedOption = 0,
    arithmetic: ArithmeticOption = Arithmetic.AVX2,
    size: Annotated[
        int | None,
        typer.Option(
            min=32,
            max=4096,
            help="Side of the images in pixels, for research: no miner saw another than 224.",
        ),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(
            "--sheet",
            metavar="PNG",
            help="Also draw the first challenges on a contact sheet (.png, .pdf or .svg): each "
            "source with its crop, what became of it, and the recorded parameters.",
        ),
    ] = None,
    store: StoreOption = None,
    sources: SourcesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the images that miners saw, as JPEG files.

    In the order of the log, one validator's after another's. With --json one line a challenge:
    fidelity (exact, distribution, impossible), the reason where there is no image, and for each
    possible image SHA-256 of pixels and JPEG, file, probability, whether it holds noise of our own
    drawing, and SHA-256 of its pixels by the other --arithmetic with the number of values that
    differ there. Other possible images that an earlier render left in the folder are deleted.
    Status 1 where there is no image.
    """
    from analytics.queries.challenges import ChallengeSelection  # noqa: PLC0415
    from replay.plans.store_plan import plan_of_store  # noqa: PLC0415

    selection = ChallengeSelection(
        ids=tuple(challenges or ()), validator=validator, run=log_run, limit=limit
    )
    settings = variant_settings(variants, seed)
    if sheet is not None:
        from replay.pictures.contact_sheet import check_sheet  # noqa: PLC0415

        check_sheet(sheet)
    planned, shards = plan_of_store(open_store(store), sources, selection, settings)
    from replay.augmentation.augment import SIDE  # noqa: PLC0415
    from replay.pictures.jpeg_files import RenderSettings, check_rendered  # noqa: PLC0415
    from replay.pictures.jpeg_files import render as render_images  # noqa: PLC0415

    images = RenderSettings(seed, size or SIDE, arithmetic)
    with progress("rebuilding", len(planned)) as on_progress:
        rendered = render_images(planned, shards, out, images, on_progress)
    if sheet is not None:
        _draw_sheet(sheet, planned, shards, images)
    if as_json:
        for one in rendered:
            print_json(asdict(one))
        check_rendered(rendered)
        return
    written = sum(len(one.files) for one in rendered)
    say(f"{written} images of {len(rendered)} challenges in {out}")
    _print_left_out(
        [one.reason if one.reason else str(one.fidelity) for one in rendered if not one.files]
    )
    check_rendered(rendered)


def _draw_sheet(
    path: Path, planned: list["Planned"], shards: "Shards", images: "RenderSettings"
) -> None:
    from replay.pictures.cards import SheetSettings  # noqa: PLC0415
    from replay.pictures.contact_sheet import draw_sheet  # noqa: PLC0415

    settings = SheetSettings(rendering=images)
    with progress("contact sheet", min(len(planned), settings.challenge_count)) as on_progress:
        drawn = draw_sheet(planned, shards, path, settings, on_progress)
    note(f"contact sheet {path}: {drawn}")


def _print_left_out(reasons: list[str]) -> None:
    if reasons:
        print_table("without an image", ("reason", "challenges"), Counter(reasons).most_common())
