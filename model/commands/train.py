"""The command `train`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.remote_store.named_folder import named_folder
from data.remote_store.opening import open_store
from data.store import Store
from data.terminal import JsonOption, SourcesOption, StoreOption, note, print_json, print_table, say
from data.terminal_progress import progress
from model.commands.processes import report_of_main
from model.commands.settings_options import Settings, SettingsCommand, with_settings
from model.optimization.config import TrainingConfig, training_config
from replay.settings import inputs_name

if TYPE_CHECKING:
    from model.training.report import TrainReport

app = typer.Typer()

OutOption = Annotated[Path, typer.Option("--out", help="Folder of the checkpoint.")]
ReplaceOption = Annotated[
    bool, typer.Option("--replace", help="Replace another training's checkpoint in --out.")
]
SampleWeightsOption = Annotated[
    Path | None,
    typer.Option(
        "--sample-weights",
        metavar="FILE",
        help="Draw rows with replacement by these weights (see the command weights), which are "
        "part of the training; else each row comes once an epoch.",
    ),
]

InitialCheckpointOption = Annotated[
    Path | None,
    typer.Option(
        "--initial-checkpoint",
        metavar="FOLDER",
        help="Begin with the weights of this checkpoint, whose settings the training has to fit: "
        "--settings with the settings.toml of its run [default: weights of its own].",
    ),
]


@app.command(
    cls=SettingsCommand, epilog="Example: streetreplay train --out data/store/models/first"
)
@with_settings(**TrainingConfig().tables)
def train(
    out: OutOption,
    settings: Settings,
    sample_weights: SampleWeightsOption = None,
    initial_checkpoint: InitialCheckpointOption = None,
    replace: ReplaceOption = False,
    store: StoreOption = None,
    sources: SourcesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a model on source rows, augmented as a validator does, and keep the best epoch.

    Rows that share a video, or a place within 100 m, stand in one part of the split: training,
    validation, or a holdout that no training sees. The backbone is frozen, and its features are
    kept, unless --train-backbone; else every epoch draws the rows' challenges anew. A training that
    was interrupted goes on when the same command is given again; `accelerate launch -m streetreplay
    train ...` trains in several processes. Beside the checkpoint, training_rows.parquet names every
    row that was seen: replay on others only (leaks --trained-on lists the overlap).
    """
    config = training_config(settings.tables)
    opened = open_store(store)
    report = _train(
        opened,
        sources,
        named_folder(opened, out),
        config,
        sample_weights=sample_weights,
        initial_checkpoint=initial_checkpoint and named_folder(opened, initial_checkpoint),
        replace_checkpoint=replace,
    )
    if report is None:
        return
    if as_json:
        print_json(asdict(report))
    else:
        _print_report(report)


def _train(
    store: Store,
    sources: str | None,
    out: Path,
    config: TrainingConfig,
    **options: Any,
) -> "TrainReport | None":
    """The report; None in a process beside the main one, which reports for all."""
    from data.sources.shards import open_shards  # noqa: PLC0415
    from model.training.train import train as run_training  # noqa: PLC0415

    return report_of_main(
        lambda: run_training(
            store,
            open_shards(sources or store.sources_place, required=sources is not None),
            out,
            config,
            **options,
            progress=progress,
            note=note,
        )
    )


def _print_report(report: "TrainReport") -> None:
    """Print a training for a person at a terminal."""
    best = report.best
    kind = inputs_name(uses_metadata=not report.image_only)
    say(
        f"{report.run_id}: {kind} on {report.backbone}, {report.training} rows, validated on "
        f"{report.validation}, {report.holdout} held out (of {report.streets} streets in all, none "
        "in two parts)"
    )
    print_table(
        "epochs",
        ("epoch", "step", "loss", "validation loss", "MCC", "images"),
        [
            (epoch.epoch, epoch.steps, epoch.loss, epoch.validation_loss, epoch.mcc, epoch.n)
            for epoch in report.epochs
        ],
    )
    say(
        f"kept: epoch {best.epoch}, MCC {best.mcc:.3f} on {best.n} validation images; slightly "
        f"optimistic, as the epoch was chosen on them. In {report.out}"
    )
    if report.left_out:
        print_table("left out", ("reason", "rows"), list(report.left_out.items()))
