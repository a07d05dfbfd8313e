"""The command that rebuilds what miners saw; torch is imported only when it runs."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analytics.life_options import LogRunOption, ValidatorOption
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
from replay.cli_options import (
    DEFAULT_VARIANTS,
    LimitOption,
    SeedOption,
    VariantsOption,
    variant_settings,
)

if TYPE_CHECKING:
    from data.sources import Shards
    from replay.plan import Planned

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
    possible image SHA-256 of pixels and JPEG, file, probability, and whether it holds noise of our
    own drawing.
    """
    from analytics.challenges import Selection  # noqa: PLC0415
    from replay.planning import plan_of_store  # noqa: PLC0415

    selection = Selection(
        ids=tuple(challenges or ()), validator=validator, run=log_run, limit=limit
    )
    settings = variant_settings(variants, seed)
    if sheet is not None:
        from replay.sheet import check_sheet  # noqa: PLC0415

        check_sheet(sheet)
    planned, shards = plan_of_store(open_store(store), sources, selection, settings)
    from replay.augment import SIDE  # noqa: PLC0415
    from replay.render import render as render_images  # noqa: PLC0415

    with progress("rebuilding", len(planned)) as tell:
        rendered = render_images(planned, shards, out, seed, size or SIDE, tell)
    if sheet is not None:
        _draw_sheet(sheet, planned, shards, seed, size or SIDE)
    if as_json:
        for one in rendered:
            print_json(asdict(one))
        return
    written = sum(len(one.files) for one in rendered)
    say(f"{written} images of {len(rendered)} challenges in {out}")
    _print_left_out(
        [one.reason if one.reason else str(one.fidelity) for one in rendered if not one.files]
    )


def _draw_sheet(
    path: Path, planned: list["Planned"], shards: "Shards", seed: int, side: int
) -> None:
    from replay.sheet import SheetSettings, draw_sheet  # noqa: PLC0415

    settings = SheetSettings(seed=seed, side=side)
    with progress("contact sheet", min(len(planned), settings.challenges)) as tell:
        drawn = draw_sheet(planned, shards, path, settings, tell)
    note(f"contact sheet {path}: {drawn}")


def _print_left_out(reasons: list[str]) -> None:
    if reasons:
        print_table("without an image", ("reason", "challenges"), Counter(reasons).most_common())
