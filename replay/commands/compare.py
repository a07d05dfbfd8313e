"""The command that puts a replayed candidate among the miners; it never imports torch."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analytics.lives.options import LogRunOption, ValidatorOption
from data.store import open_store
from data.terminal import JsonOption, StoreOption, print_json, progress
from replay.commands.options import SeedOption

if TYPE_CHECKING:
    from replay.comparing.results import Comparison
    from replay.comparing.with_another_run import RunComparison
    from replay.runs.training_rows import TrainedOn

app = typer.Typer()

_MINERS_SHOWN = 15

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
            help="Share of each validator's challenges, the first ones, to choose baselines and "
            "threshold on.",
        ),
    ] = 0.5,
    slices: Annotated[
        bool,
        typer.Option(
            "--slices",
            help="Also by era, level, label, place, weather and more: where it loses most reward.",
        ),
    ] = False,
    other: AgainstOption = None,
    given: TrainedOnOption = None,
    validator: ValidatorOption = None,
    log_run: LogRunOption = None,
    seed: SeedOption = 0,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a replayed candidate in every logged miner's place, on exactly its challenges.

    A miner is a (uid, hotkey) pair. Windows, formula and EMA are the validator's, from empty
    windows on, and each validator's log has its own: of several, answers and rewards count
    together, and the EMA is the mean of each one's last, by challenges asked. Differences are
    candidate minus miner, with intervals over source images; the rank's interval holds for all
    miners at once. Best and median miner, majority and stacked ensemble, and the threshold are
    chosen on an earlier part in time and judged on the later one. What overlaps with training rows
    that the run keeps is left out; with --against, with those of both runs.
    """
    from analytics.comparison.bootstrap import BootstrapSettings  # noqa: PLC0415
    from analytics.comparison.slices import SliceSettings  # noqa: PLC0415
    from analytics.lives.order import Choice  # noqa: PLC0415
    from analytics.warehouse.connection import reading  # noqa: PLC0415
    from replay.comparing.loaded_answers import find_run  # noqa: PLC0415
    from replay.comparing.text import print_comparison  # noqa: PLC0415
    from replay.comparing.with_another_run import compare_with_another_run  # noqa: PLC0415
    from replay.comparing.with_miners import (  # noqa: PLC0415
        CompareSettings,
        compare_with_miners,
    )
    from replay.runs.training_rows import all_training_rows, trained_on  # noqa: PLC0415

    bootstrap = BootstrapSettings(draws=draws, seed=seed, auc=auc_intervals)
    by = SliceSettings(bootstrap) if slices else None
    settings = CompareSettings(bootstrap, earlier=split, slices=by)
    choice = Choice(validator, log_run)
    where, versus, others = open_store(store), None, None
    with reading(where) as connection, progress("drawing", 2 * draws) as on_progress:
        own = trained_on(where, find_run(connection, run)["run_id"], given)
        if other is not None:
            others = trained_on(where, find_run(connection, other)["run_id"])
            versus = compare_with_another_run(
                connection, run, other, bootstrap, all_training_rows(own, others), choice
            )
        comparison = compare_with_miners(connection, run, settings, own.rows, on_progress, choice)
    if as_json:
        print_json(_as_json(comparison, own, versus, others), indent=1)
    else:
        print_comparison(comparison, _MINERS_SHOWN, own, versus, others)


def _as_json(
    comparison: "Comparison",
    own: "TrainedOn",
    versus: "RunComparison | None",
    others: "TrainedOn | None",
) -> dict[str, Any]:
    """All of it, with the files that the training rows are from; null where nobody knows any."""
    found = asdict(comparison) | {"training_file": _file(own), "against": None}
    if versus is not None:
        found["against"] = asdict(versus) | {"others_training_file": _file(others)}
    return found


def _file(trained: "TrainedOn | None") -> str | None:
    return None if trained is None or trained.rows is None else str(trained.file)
