"""A checkpoint that a training begins with: its weights, its backbone, and the rows behind them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import torch

from analytics.leaks.training_rows import read_training_rows
from data.errors import RunError
from data.store import Store
from model.backbone.backbone import Backbone, load_backbone
from model.backbone.settings import BackboneSettings
from model.backbone.weights import check_fit
from model.checkpoint.backbone_in_card import backbone_of, backbone_settings
from model.checkpoint.checkpoint import Checkpoint, load_checkpoint
from model.network.street_model import StreetModel
from model.optimization.config import TrainingConfig
from model.rows.settings import SplitSettings
from model.rows.split import PARTS, Split, split_rows
from model.rows.training_row import TrainingRow
from model.training.run_folder import SPLIT
from replay.candidates.predictor import TRAINING_ROWS

_NAMES = ("parquet", "row", "vid_id", "gps_lat", "gps_lon")


@dataclass(frozen=True)
class Base:
    """A checkpoint and the rows that it was trained on, as `read_training_rows` reads them."""

    checkpoint: Checkpoint
    rows: pl.DataFrame

    @property
    def named(self) -> dict[str, str | None]:
        """What names it in `run.json` and in a card."""
        return {"sha256": self.checkpoint.sha256, "run_id": self.run_id}

    @property
    def run_id(self) -> str | None:
        """The id of the training that made it; None if its card does not say."""
        run_id = self.checkpoint.card.training.get("run_id")
        return None if run_id is None else str(run_id)


def load_base(folder: Path) -> Base:
    """The base in a checkpoint's folder.

    Raises:
        RunError: no whole checkpoint, or one that does not say which rows it was trained on.
        SourceError: its rows cannot be read.
    """
    checkpoint = load_checkpoint(folder)
    if checkpoint.training_rows is None:
        raise RunError(
            f"checkpoint {folder}",
            found=f"no {TRAINING_ROWS}",
            expected="the rows that it was trained on",
            remedy="name a checkpoint that `streetreplay train` wrote",
        )
    return Base(checkpoint, read_training_rows(checkpoint.training_rows))


def base_backbone(
    base: Base, settings: BackboneSettings, device: torch.device | str | None
) -> Backbone:
    """The base's backbone with all its weights, of which `settings.trained` is to be trained.

    Where nothing is, it is frozen, whatever was trained of it before; its own settings then still
    say what was.

    Args:
        base: its card describes the backbone.
        settings: of `tuned_config`.
        device: as in `load_backbone`.

    Raises:
        RunError: the backbone cannot be had, or is not the one that the base was trained with.
    """
    # also where it is trained: only a frozen one is compared with the card
    frozen = backbone_of(base.checkpoint, device)
    if settings.frozen:
        return frozen
    del frozen
    backbone = load_backbone(settings, device)
    backbone.load_trained(backbone.trained_tensors() | dict(base.checkpoint.backbone))
    return backbone


def read_base_split(store: Store, base: Base) -> pl.DataFrame | None:
    """The split of the base's training, as `split_table` has it; None if its run is not there.

    Args:
        store: of that training.
        base: its card names the run.
    """
    try:
        return pl.read_parquet(store.runs / Path(base.run_id or "").name / SPLIT, glob=False)
    except (OSError, pl.exceptions.PolarsError):
        return None


def training_split(
    rows: Sequence[TrainingRow], settings: SplitSettings, store: Store, base: Base | None
) -> Split:
    """The split of a training; rows that its base has seen or held out stay in their parts.

    Where the run of the base is not in the store all that it has seen counts as trained on.

    Args:
        rows: all of them.
        settings: shares and seed.
        store: of the base's training.
        base: None for a training from first weights of its own.

    Raises:
        RunError: as `split_rows`.
    """
    earlier = None if base is None else _parts(store, base)
    return split_rows(rows, settings, earlier=earlier)


def _parts(store: Store, base: Base) -> pl.DataFrame:
    """The rows of the base's split, and others that it has seen, as `split_table` has them."""
    seen = base.rows.select(_NAMES).with_columns(part=pl.lit(PARTS[0]))
    split = read_base_split(store, base)
    if split is None:
        return seen
    others = split.filter(pl.col("part").is_in(PARTS[1:])).select(*_NAMES, "part")
    return pl.concat([seen.join(others, on=["parquet", "row"], how="anti"), others])


def check_same_backbone(base: Base, settings: BackboneSettings) -> None:
    """Refuse settings of another backbone than the base's, or that would lose what was trained.

    Raises:
        RunError: what differs.
    """
    written = backbone_settings(base.checkpoint.card)
    names = ["name", "side", "precision"]
    if written.trained != "all":  # else the checkpoint holds all of its weights
        names += ["weights", "seed"]
    for name in names:
        ours, theirs = getattr(settings, name), getattr(written, name)
        if ours != theirs:
            raise RunError(
                f"{name} of the backbone",
                found=f"{ours}, and {theirs} in the checkpoint to begin with",
                expected="the same",
                remedy="take the settings.toml of its training's run, or begin from scratch",
            )
    check_covers(settings, written)


def check_covers(settings: BackboneSettings, written: BackboneSettings) -> None:
    """Refuse to train less of a backbone than was trained of it: the rest would not be stored.

    Args:
        settings: of the training.
        written: of the base's backbone.

    Raises:
        RunError: what both train.
    """
    if settings.frozen or _covers(settings, written):
        return
    raise RunError(
        f"--train-backbone {_words(settings)}",
        found=f"a base whose backbone was trained: {_words(written)}",
        expected="all that was trained of it, for only what is trained is stored",
        remedy="train the same parts or more, or leave out --train-backbone",
    )


def base_street_model(base: Base, config: TrainingConfig) -> StreetModel:
    """The base's model with the settings of a training, such as another dropout.

    Raises:
        RunError: the settings are of another architecture, or of other inputs.
    """
    card, metadata = base.checkpoint.card, config.dataset.metadata
    if (card.training.get("metadata") is True) != metadata:
        raise RunError(
            "--metadata" if metadata else "--no-metadata",
            found="a checkpoint to begin with of other inputs",
            expected="images with metadata in both trainings, or in neither",
        )
    model = StreetModel(config.model)
    weights = base.checkpoint.model.state_dict()
    check_fit(weights, model.state_dict(), "weights of the checkpoint to begin with")
    model.load_state_dict(weights)
    return model


def _covers(settings: BackboneSettings, written: BackboneSettings) -> bool:
    """Whether all that was trained of a backbone is trained by other settings too."""
    match written.trained:
        case "none":
            return True
        case "adapters":
            same = replace(settings, checkpointing=written.checkpointing)
            return same == written
        case "last":
            fewer = settings.trained == "last" and settings.last_blocks < written.last_blocks
            return settings.trained in ("last", "all") and not fewer
        case "all":
            return settings.trained == "all"


def _words(settings: BackboneSettings) -> str:
    match settings.trained:
        case "last":
            return f"last --last-blocks {settings.last_blocks}"
        case "adapters":
            adapter = settings.adapter
            return f"adapters ({adapter.kind}, rank {adapter.rank}, alpha {adapter.alpha:g})"
    return settings.trained
