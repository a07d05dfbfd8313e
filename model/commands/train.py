"""The command `train`."""

from dataclasses import asdict, astuple
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.store import Store, open_store
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
from model.training.settings import TrainSettings
from replay.commands.options import ArithmeticOption
from replay.settings import inputs_name

if TYPE_CHECKING:
    from model.training.train import TrainingConfig, TrainReport

app = typer.Typer()

_DEFAULT = TrainSettings()
_BACKBONE = "vit_small_patch16_dinov3"

OutOption = Annotated[Path, typer.Option("--out", help="Folder of the checkpoint.")]
BackboneOption = Annotated[
    str, typer.Option("--backbone", help="A timm name, with or without a tag.")
]
WeightsOption = Annotated[
    str,
    typer.Option("--weights", help="Weights of the backbone: hub, random, or a safetensors file."),
]
SideOption = Annotated[
    int | None,
    typer.Option(
        "--side", min=1, help="Side of the views in pixels [default: the backbone's own]."
    ),
]
TrainBackboneOption = Annotated[
    bool, typer.Option("--train-backbone", help="Train the backbone too, not only the rest.")
]
BackboneLrScaleOption = Annotated[
    float,
    typer.Option("--backbone-lr-scale", help="The backbone's learning rate as a multiple of --lr."),
]
ImagesOption = Annotated[int, typer.Option("--images", min=1, help="Challenges drawn of each row.")]
EpochsOption = Annotated[int, typer.Option("--epochs", min=1, help="Passes over the rows.")]
BatchSizeOption = Annotated[
    int, typer.Option("--batch-size", min=1, help="Challenges in a step of the optimiser.")
]
LrOption = Annotated[float, typer.Option("--lr", help="Highest learning rate of AdamW's schedule.")]
ValidationOption = Annotated[
    float, typer.Option("--validation", help="Share of rows that validate.")
]
GammaOption = Annotated[float, typer.Option("--gamma", min=0, help="Focusing of the focal loss.")]
MetadataOption = Annotated[
    bool,
    typer.Option(
        "--metadata",
        help="Give the model the logged metadata too. Whether a description is present reveals "
        "the label.",
    ),
]
SeedOption = Annotated[
    int, typer.Option("--seed", min=0, help="Seed of split, challenges, order and weights.")
]
ReplaceOption = Annotated[
    bool, typer.Option("--replace", help="Replace another training's checkpoint in --out.")
]


@app.command(epilog="Example: streetreplay train --out data/store/models/first")
def train(
    out: OutOption,
    backbone: BackboneOption = _BACKBONE,
    weights: WeightsOption = "hub",
    side: SideOption = None,
    train_backbone: TrainBackboneOption = False,
    backbone_lr_scale: BackboneLrScaleOption = _DEFAULT.backbone_lr_scale,
    images: ImagesOption = _DEFAULT.images,
    epochs: EpochsOption = _DEFAULT.epochs,
    batch_size: BatchSizeOption = _DEFAULT.batch_size,
    lr: LrOption = _DEFAULT.lr,
    validation: ValidationOption = _DEFAULT.validation,
    gamma: GammaOption = 2.0,
    metadata: MetadataOption = False,
    seed: SeedOption = _DEFAULT.seed,
    arithmetic: ArithmeticOption = _DEFAULT.arithmetic,
    replace: ReplaceOption = False,
    store: StoreOption = None,
    sources: SourcesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a model on source rows, augmented as a validator does, and keep the best epoch.

    Each row gives several challenges, levels 0 to 3, distortions and the last JPEG included. Rows
    that share a video, or a place within 100 m, stand on one side of the split. The backbone is
    frozen, and its features are kept, unless --train-backbone. Beside the checkpoint,
    training_rows.parquet names every row: replay on others only (leaks --trained-on lists the
    overlap).
    """
    from model.backbone.backbone import BackboneSettings  # noqa: PLC0415
    from model.training.losses import LossSettings  # noqa: PLC0415
    from model.training.train import TrainingConfig  # noqa: PLC0415

    training = TrainSettings(
        images=images,
        validation=validation,
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        backbone_lr_scale=backbone_lr_scale,
        metadata=metadata,
        seed=seed,
        arithmetic=arithmetic,
    )
    backbone_settings = BackboneSettings(backbone, weights, side, seed, frozen=not train_backbone)
    config = TrainingConfig(training, backbone_settings, loss=LossSettings(gamma=gamma))
    report = _train(open_store(store), sources, out, config, replace=replace)
    if as_json:
        print_json(asdict(report))
    else:
        _print_report(report)


def _train(
    store: Store, sources: Path | None, out: Path, config: "TrainingConfig", *, replace: bool
) -> "TrainReport":
    from data.sources.shards import open_shards  # noqa: PLC0415
    from model.training.train import train as run_training  # noqa: PLC0415

    shards = open_shards(sources or store.sources, required=sources is not None)
    return run_training(
        store,
        shards,
        out,
        config,
        replace_checkpoint=replace,
        progress=progress,
        note=note,
    )


def _print_report(report: "TrainReport") -> None:
    """Print a training for a person at a terminal."""
    best = report.best
    kind = inputs_name(uses_metadata=not report.image_only)
    say(
        f"{report.run_id}: {kind} on {report.backbone}, {report.training} rows, validated on "
        f"{report.validation} (of {report.streets} streets in all, none on both sides)"
    )
    print_table(
        "epochs",
        ("epoch", "loss", "validation loss", "MCC", "images"),
        [astuple(epoch) for epoch in report.epochs],
    )
    say(
        f"kept: epoch {best.epoch}, MCC {best.mcc:.3f} on {best.n} validation images; slightly "
        f"optimistic, as the epoch was chosen on them. In {report.out}"
    )
    if report.left_out:
        print_table("left out", ("reason", "rows"), list(report.left_out.items()))
