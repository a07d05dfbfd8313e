"""The command that puts a replayed candidate among the miners; it never imports torch."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from data.store import open_store
from data.terminal import JsonOption, StoreOption, print_json, progress
from replay.cli_options import SeedOption

app = typer.Typer()

_MINERS_SHOWN = 15


@app.command(epilog="Example: streetreplay compare latest --draws 2000")
def compare(
    run: Annotated[str, typer.Argument(help="A run id, or latest.")] = "latest",
    draws: Annotated[
        int, typer.Option("--draws", min=100, max=100_000, help="Bootstrap draws.")
    ] = 1000,
    auc_intervals: Annotated[
        bool, typer.Option("--auc-intervals", help="Intervals of AUC too, which cost most.")
    ] = False,
    split: Annotated[
        float,
        typer.Option(
            min=0.1,
            max=0.9,
            help="Share of challenges, in time, to choose references and threshold on.",
        ),
    ] = 0.5,
    slices: Annotated[
        bool,
        typer.Option(
            "--slices",
            help="Also by era, level, label, place, weather and more: where it loses most reward.",
        ),
    ] = False,
    trained_on: Annotated[
        Path | None,
        typer.Option(
            "--trained-on",
            metavar="FILE",
            help="Parquet or CSV of the candidate's training rows: challenges of the same row, "
            "video or place are left out.",
        ),
    ] = None,
    seed: SeedOption = 0,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a replayed candidate in every logged miner's place, on exactly its challenges.

    A miner is a (uid, hotkey) pair. Windows, formula and EMA are the validator's, from empty
    windows on. Differences are candidate minus miner, with intervals over source images; the rank's
    interval holds for all miners at once. Best and median miner, majority and stacked ensemble, and
    the threshold are chosen on an earlier part in time and judged on the later one.
    """
    from analytics.bootstrap import BootstrapSettings  # noqa: PLC0415
    from analytics.overlap import read_training_rows  # noqa: PLC0415
    from analytics.slices import SliceSettings  # noqa: PLC0415
    from analytics.warehouse import reading  # noqa: PLC0415
    from replay.compare import CompareSettings  # noqa: PLC0415
    from replay.compare import compare as compare_run  # noqa: PLC0415
    from replay.compare_text import print_comparison  # noqa: PLC0415

    bootstrap = BootstrapSettings(draws=draws, seed=seed, auc=auc_intervals)
    training = None if trained_on is None else read_training_rows(trained_on)
    by = SliceSettings(bootstrap) if slices else None
    settings = CompareSettings(bootstrap, earlier=split, slices=by)
    with reading(open_store(store)) as connection, progress("drawing", 2 * draws) as tell:
        comparison = compare_run(connection, run, settings, training, tell)
    if as_json:
        print_json(asdict(comparison), indent=1)
    else:
        print_comparison(comparison, _MINERS_SHOWN)
