"""Commands that rebuild challenges and score candidates; torch is imported only where needed."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.store import Store, open_store
from data.terminal import (
    JsonOption,
    SourcesOption,
    StoreOption,
    duration,
    note,
    print_json,
    print_table,
    progress,
    say,
)
from replay.cli_options import (
    DEFAULT_VARIANTS,
    EraOption,
    LevelOption,
    LimitOption,
    MinerOption,
    SampleOption,
    SeedOption,
    SinceOption,
    UntilOption,
    VariantsOption,
    WorkersOption,
    variant_settings,
)

if TYPE_CHECKING:
    from analytics.challenges import Selection
    from data.sources import Shards
    from replay.plan import Planned
    from replay.publish import ReplayReport
    from replay.runner import Replay
    from replay.settings import VariantSettings

app = typer.Typer()

_MINERS_SHOWN = 15


def _plan(
    store: Store, sources: Path | None, selection: "Selection", variants: "VariantSettings"
) -> tuple[list["Planned"], "Shards"]:
    from analytics.challenges import stored_challenges  # noqa: PLC0415
    from analytics.warehouse import reading  # noqa: PLC0415
    from data.sources import open_shards  # noqa: PLC0415
    from replay.plan import plan  # noqa: PLC0415

    with reading(store) as connection:
        challenges = stored_challenges(connection, selection)
    shards = open_shards(sources or store.sources, required=sources is not None)
    return plan(challenges, shards, variants), shards


@app.command(epilog="Example: streetreplay render --out /tmp/images --limit 20")
def render(
    out: Annotated[Path, typer.Option("--out", help="Folder of the JPEG files.")],
    challenges: Annotated[
        list[str] | None, typer.Argument(help="Challenge ids [default: all].", metavar="CHALLENGE")
    ] = None,
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

    In order of file and position. With --json one line a challenge: fidelity (exact, distribution,
    impossible), the reason where there is no image, and for each possible image SHA-256 of pixels
    and JPEG, file, probability, and whether it holds noise of our own drawing.
    """
    from analytics.challenges import Selection  # noqa: PLC0415

    selection = Selection(ids=tuple(challenges or ()), limit=limit)
    settings = variant_settings(variants, seed)
    if sheet is not None:
        from replay.sheet import check_sheet  # noqa: PLC0415

        check_sheet(sheet)
    planned, shards = _plan(open_store(store), sources, selection, settings)
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
    from collections import Counter  # noqa: PLC0415

    if reasons:
        print_table("without an image", ("reason", "challenges"), Counter(reasons).most_common())


@app.command(epilog="Example: streetreplay replay --model orange --era E7 --sample 500")
def replay(
    model: Annotated[
        str,
        typer.Option(
            "--model",
            help="The candidate: a name such as orange, hf:NAME_OR_DIR[#LABEL] (a transformers "
            "image classifier), or module:attribute (your own Python).",
        ),
    ],
    era: EraOption = None,
    level: LevelOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    miner: MinerOption = None,
    sample: SampleOption = None,
    limit: LimitOption = None,
    variants: VariantsOption = DEFAULT_VARIANTS,
    seed: SeedOption = 0,
    workers: WorkersOption = None,
    store: StoreOption = None,
    sources: SourcesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a candidate answer every challenge that can be rebuilt, and publish its answers.

    The run id is a hash of candidate, challenges and sources: an interrupted replay goes on where
    it stopped. Candidates see the image alone, as miners do; of levels 2 and 3 they see several
    possible images, and the answer is the mean over them.
    """
    from analytics.challenges import Selection  # noqa: PLC0415
    from replay.models import load  # noqa: PLC0415

    settings = variant_settings(variants, seed)
    predictor = load(model)
    where = open_store(store)
    selection = Selection(
        eras=tuple(era or ()),
        levels=tuple(level or ()),
        since=since,
        until=until,
        miner=miner,
        sample=sample,
        seed=seed,
        limit=limit,
    )
    planned, shards = _plan(where, sources, selection, settings)
    from replay.runner import Replay  # noqa: PLC0415
    from replay.settings import ReplaySettings  # noqa: PLC0415

    opened = Replay(where, predictor, planned, shards, ReplaySettings(seed=seed))
    used = _announce(opened, planned, predictor.name, workers)
    with progress("replaying", len(planned)) as tell:
        report = opened.run(used, tell)
    if as_json:
        print_json(asdict(report))
        return
    _print_report(report)


def _announce(opened: "Replay", planned: list["Planned"], model: str, workers: int | None) -> int:
    """Say what a replay will do and about how long it takes; return how many processes do it."""
    from replay.plan import counts  # noqa: PLC0415

    parts = ", ".join(f"{reason} {n}" for reason, n in counts(planned).items())
    note(f"{len(planned)} challenges ({parts}) for {model}")
    if opened.done:
        note(f"{opened.done} of them were answered by an earlier run of the same")
    expected = opened.forecast()
    used = workers or expected.workers(len(os.sched_getaffinity(0)))
    note(
        f"{expected.images} images to rebuild and show it: {duration(expected.seconds(used))} "
        + ("in this process" if used == 1 else f"with {used} processes rebuilding")
    )
    return used


def _print_report(report: "ReplayReport") -> None:
    say(
        f"{report.run_id}: {report.model} answered {report.predicted} of {report.selected} "
        f"challenges, {'metadata-fed' if report.uses_metadata else 'image-only'}: {report.exact} "
        f"exact, {report.distributions} as the mean over possible images ({report.images} images "
        f"in all, {report.noisy} with noise of our own drawing)"
    )
    if report.standard_error is not None:
        say(f"standard error of such a mean, on average: {report.standard_error:.3f}")
    if report.left_out:
        print_table("left out", ("reason", "challenges"), list(report.left_out.items()))


@app.command(epilog="Example: streetreplay compare latest")
def compare(
    run: Annotated[str, typer.Argument(help="A run id, or latest.")] = "latest",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare a replay with every logged miner on exactly the challenges that both have.

    A miner is a (uid, hotkey) pair. Classes are by the validator's rounding (half to even). The
    interval is that of the MCC difference, candidate minus miner, over source images.
    """
    from analytics.warehouse import reading  # noqa: PLC0415
    from replay.compare import compare as compare_run  # noqa: PLC0415
    from replay.compare_text import print_comparison  # noqa: PLC0415

    with reading(open_store(store)) as connection:
        comparison = compare_run(connection, run)
    if as_json:
        print_json(asdict(comparison), indent=1)
    else:
        print_comparison(comparison, _MINERS_SHOWN)
