"""Commands that make a model, and say what it is made of."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from data.store import open_store
from data.terminal import (
    JsonOption,
    SourcesOption,
    StoreOption,
    note,
    print_json,
    print_table,
    progress,
)
from model.training.settings import TrainSettings
from replay.commands.options import ArithmeticOption

app = typer.Typer()

_DEFAULT = TrainSettings()
_BACKBONE = "vit_small_patch16_dinov3"


@app.command(epilog="Example: streetreplay train --out data/store/models/first")
def train(
    out: Annotated[Path, typer.Option("--out", help="Folder of the checkpoint.")],
    backbone: Annotated[
        str, typer.Option("--backbone", help="A timm name, with or without a tag.")
    ] = _BACKBONE,
    weights: Annotated[
        str, typer.Option("--weights", help="Of the backbone: hub, random, or a safetensors file.")
    ] = "hub",
    side: Annotated[
        int | None,
        typer.Option("--side", min=1, help="Of the views in pixels [default: the backbone's own]."),
    ] = None,
    train_backbone: Annotated[
        bool, typer.Option("--train-backbone", help="Train the backbone too, not only the rest.")
    ] = False,
    backbone_lr_scale: Annotated[
        float, typer.Option(help="The backbone's learning rate as a multiple of --lr.")
    ] = _DEFAULT.backbone_lr_scale,
    images: Annotated[
        int, typer.Option("--images", min=1, help="Challenges drawn of each row.")
    ] = _DEFAULT.images,
    epochs: Annotated[
        int, typer.Option("--epochs", min=1, help="Passes over the rows.")
    ] = _DEFAULT.epochs,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, help="Challenges in a step of the optimiser.")
    ] = _DEFAULT.batch_size,
    lr: Annotated[
        float, typer.Option("--lr", help="Highest learning rate of AdamW's schedule.")
    ] = _DEFAULT.lr,
    validation: Annotated[
        float, typer.Option("--validation", help="Share of rows that validate.")
    ] = _DEFAULT.validation,
    gamma: Annotated[
        float, typer.Option("--gamma", min=0, help="Focusing of the focal loss.")
    ] = 2.0,
    metadata: Annotated[
        bool,
        typer.Option(
            "--metadata",
            help="Feed what is logged beside an image too. A description's presence is the label.",
        ),
    ] = False,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Of split, challenges, order and weights.")
    ] = _DEFAULT.seed,
    arithmetic: ArithmeticOption = _DEFAULT.arithmetic,
    again: Annotated[
        bool, typer.Option("--replace", help="Replace another training's checkpoint in --out.")
    ] = False,
    store: StoreOption = None,
    sources: SourcesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a model on source rows, augmented as a validator does, and keep the best epoch.

    Each row gives several challenges, levels 0 to 3, distortions and the last JPEG included. Rows
    that share a video, or a place within 100 m, stand on one side of the split. The backbone is
    frozen, and its features are kept, unless --train-backbone. Beside the checkpoint,
    training_rows.parquet names every row: replay on others only (leaks --trained-on tells).
    """
    from data.sources.shards import open_shards  # noqa: PLC0415
    from model.backbone.backbone import BackboneSettings  # noqa: PLC0415
    from model.training.losses import LossSettings  # noqa: PLC0415
    from model.training.text import print_training  # noqa: PLC0415
    from model.training.train import TrainingConfig  # noqa: PLC0415
    from model.training.train import train as run_training  # noqa: PLC0415

    where = open_store(store)
    settings = TrainSettings(
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
    chosen = BackboneSettings(backbone, weights, side, seed, frozen=not train_backbone)
    config = TrainingConfig(settings, chosen, loss=LossSettings(gamma=gamma))
    shards = open_shards(sources or where.sources, required=sources is not None)
    report = run_training(where, shards, out, config, again=again, progress=progress, note=note)
    if as_json:
        print_json(asdict(report))
    else:
        print_training(report)


@app.command(epilog="Example: streetreplay describe data/store/models/demo")
def describe(
    checkpoint: Annotated[
        Path | None, typer.Argument(help="A checkpoint's folder [default: the full model].")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print a model's parts in the order of the forward pass: shapes and numbers of parameters."""
    from model.checkpoint.card import read_card  # noqa: PLC0415
    from model.network.describe import describe as parts_of  # noqa: PLC0415
    from model.network.settings import ModelSettings  # noqa: PLC0415

    card = None if checkpoint is None else read_card(checkpoint.expanduser())
    settings = ModelSettings() if card is None else card.settings
    parts = parts_of(settings)
    total = sum(part.parameters for part in parts)
    if as_json:
        backbone = None if card is None else card.backbone
        print_json(
            {
                "backbone": backbone,
                "settings": settings,
                "parameters": total,
                "parts": [asdict(part) for part in parts],
            }
        )
        return
    print_table(
        f"{total:,} parameters; B challenges"
        + ("" if card is None else f", on features of {card.backbone}"),
        ("part", "takes", "gives", "parameters"),
        [(part.name, part.takes, part.gives, part.parameters) for part in parts],
    )
