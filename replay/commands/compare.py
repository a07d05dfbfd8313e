"""The command `compare`: a replayed candidate among the miners; it never imports torch."""

from pathlib import Path
from typing import Annotated

import typer

from analytics.lives.options import LogRunOption, ValidatorOption
from data.remote_store.opening import open_store
from data.terminal import JsonOption, StoreOption, print_json
from data.terminal_progress import progress

app = typer.Typer()

_MINERS_SHOWN = 15

DrawsOption = Annotated[int, typer.Option("--draws", min=100, max=100_000, help="Bootstrap draws.")]
DrawsSeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of the draws.")]
AucIntervalsOption = Annotated[
    bool, typer.Option("--auc-intervals", help="Intervals of AUC too, which cost most.")
]
SplitOption = Annotated[
    float,
    typer.Option(
        min=0.1,
        max=0.9,
        help="Share of each validator's challenges, the first ones, to choose baselines and "
        "threshold on.",
    ),
]
SlicesOption = Annotated[
    bool,
    typer.Option(
        "--slices",
        help="Also by era, level, label, place, weather and more: where it loses most reward.",
    ),
]
AgainstOption = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="OTHER_RUN",
        help="Also against this replay, on exactly the challenges that both predicted.",
    ),
]
TrainedOnOption = Annotated[
    Path | None,
    typer.Option(
        "--trained-on",
        metavar="FILE",
        help="Parquet or CSV of the candidate's training rows, in place of those that its run "
        "keeps: challenges of the same row, video or place are left out.",
    ),
]


@app.command(epilog="Example: streetreplay compare latest --draws 2000")
def compare(
    run: Annotated[str, typer.Argument(help="A run id, or latest.")] = "latest",
    draws: DrawsOption = 1000,
    auc_intervals: AucIntervalsOption = False,
    split: SplitOption = 0.5,
    slices: SlicesOption = False,
    other: AgainstOption = None,
    training_file: TrainedOnOption = None,
    validator: ValidatorOption = None,
    log_run: LogRunOption = None,
    seed: DrawsSeedOption = 0,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare a replayed candidate with every logged miner, on exactly that miner's challenges.

    A miner is a (uid, hotkey) pair. Windows, formula and EMA are the validator's, from empty
    windows on, and each validator's log has its own: of several, answers and rewards count
    together, and the EMA is the mean of each one's last, by challenges asked. Differences are
    candidate minus miner, with intervals over source images; the rank's interval holds for all
    miners at once. Best and median miner, majority and stacked ensemble, and the threshold are
    chosen on an earlier part in time and evaluated on the later part. What overlaps with training
    rows that the run keeps is left out; with --against, with those of both runs. The result is kept
    in the run's folder, and read from there until the logs, the run or this code change.
    """
    from analytics.comparison.bootstrap import BootstrapSettings  # noqa: PLC0415
    from analytics.lives.order import Choice  # noqa: PLC0415
    from analytics.slices.scores import SliceSettings  # noqa: PLC0415
    from analytics.warehouse.connection import reading  # noqa: PLC0415
    from replay.comparing.report import (  # noqa: PLC0415
        ComparedRuns,
        comparison_question,
    )
    from replay.comparing.text import print_comparison  # noqa: PLC0415
    from replay.comparing.with_miners import CompareSettings  # noqa: PLC0415

    bootstrap = BootstrapSettings(draws=draws, seed=seed, auc=auc_intervals)
    slice_settings = SliceSettings(bootstrap) if slices else None
    settings = CompareSettings(bootstrap, earlier=split, slices=slice_settings)
    runs, choice = ComparedRuns(run, other, training_file), Choice(validator, log_run)
    opened = open_store(store)
    with reading(opened) as connection:
        question = comparison_question(opened, connection, runs, settings, choice)
        report = question.kept(opened)
        if report is None:
            with progress("bootstrap draws", 2 * draws) as on_progress:
                report = question.computed(opened, connection, on_progress)
    if as_json:
        print_json(report.as_json(), indent=1)
    else:
        print_comparison(report, _MINERS_SHOWN)
