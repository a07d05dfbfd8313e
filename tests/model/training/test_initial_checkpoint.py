"""Trainings that begin with a checkpoint's weights."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch

from analytics.leaks.training_rows import read_training_rows
from data.errors import RunError
from data.store import Store
from model.checkpoint.card import read_card
from model.checkpoint.checkpoint import Checkpoint, load_checkpoint
from model.optimization.settings import OptimizerSettings
from model.training.run_folder import SPLIT
from model.training.train import train
from replay.candidates.predictor import TRAINING_ROWS
from tests.model.fine_tuning.drawn_base import BASE, DrawnBase, draw_base

pytestmark = pytest.mark.usefixtures("on_the_processor")

# so low a rate that the weights stay what they were
STANDING = replace(
    BASE,
    optimizer=OptimizerSettings(lr=1e-9, weight_decay=0.0, ema_decay=0.0),
    backbone=replace(BASE.backbone, trained="last", last_blocks=1),
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> DrawnBase:
    """A base whose backbone's last block was trained."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        return draw_base(tmp_path_factory.mktemp("base"), "last")


def weights(checkpoint: Checkpoint) -> dict[str, torch.Tensor]:
    return checkpoint.model.state_dict() | dict(checkpoint.backbone)


def differ(ours: Checkpoint, theirs: Checkpoint) -> float:
    """The largest difference of two models' weights."""
    pairs = ((tensor, weights(theirs)[name]) for name, tensor in weights(ours).items())
    return max(float((one - other).abs().max()) for one, other in pairs)


def test_the_training_begins_with_the_checkpoints_weights(base: DrawnBase, tmp_path: Path) -> None:
    seeded = replace(STANDING, model=replace(STANDING.model, seed=5))
    before = load_checkpoint(base.checkpoint)
    outs = [tmp_path / "from-it", tmp_path / "from-scratch"]
    for out, initial in zip(outs, (base.checkpoint, None), strict=True):
        train(base.store, base.sources, out, seeded, initial_checkpoint=initial)
    assert differ(load_checkpoint(outs[0]), before) < 1e-6
    assert differ(load_checkpoint(outs[1]), before) > 1e-2


def test_its_rows_count_as_trained_on_and_the_card_names_it(
    base: DrawnBase, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    report = train(base.store, base.sources, out, STANDING, initial_checkpoint=base.checkpoint)
    named = {"sha256": load_checkpoint(base.checkpoint).sha256, "run_id": base.report.run_id}
    assert read_card(out).training["initial_checkpoint"] == named
    run = base.store.runs / report.run_id
    assert json.loads((run / "run.json").read_text())["initial_checkpoint"] == named
    rows, before = (
        set(read_training_rows(folder / TRAINING_ROWS).select("parquet", "row").iter_rows())
        for folder in (out, base.checkpoint)
    )
    own = pl.read_parquet(run / SPLIT).filter(pl.col("part") != "holdout")
    assert rows == before | set(own.select("parquet", "row").iter_rows())
    # rows of the base keep their parts
    split = pl.read_parquet(base.store.runs / base.report.run_id / SPLIT)
    kept = split.join(pl.read_parquet(run / SPLIT), on=["parquet", "row"], suffix="_now")
    assert kept.height == split.height
    assert kept["part"].to_list() == kept["part_now"].to_list()


def test_without_the_run_of_its_training_all_that_it_saw_stays_trained_on(
    base: DrawnBase, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    report = train(
        store, base.sources, tmp_path / "out", STANDING, initial_checkpoint=base.checkpoint
    )
    split = pl.read_parquet(store.runs / report.run_id / SPLIT)
    seen = read_training_rows(base.checkpoint / TRAINING_ROWS)
    parts = seen.join(split, on=["parquet", "row"])["part"]
    assert parts.unique().to_list() == ["training"]
    assert report.validation > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backbone": {"side": 64}}, r"side of the backbone: found 64, and 32 .*settings\.toml"),
        ({"backbone": {"name": "test_convnext"}}, "name of the backbone"),
        ({"model": {"width": 64}}, "weights of the checkpoint to begin with"),
        ({"dataset": {"metadata": True}}, "--metadata: found .*of other inputs"),
        ({"model": {"precision": "bf16"}}, "precision of the backbone: found bf16, and fp32"),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused(
    base: DrawnBase, tmp_path: Path, changes: dict[str, dict[str, object]], message: str
) -> None:
    stages = {name: replace(getattr(STANDING, name), **values) for name, values in changes.items()}
    with pytest.raises(RunError, match=message) as error:
        train(
            base.store,
            base.sources,
            tmp_path / "out",
            replace(STANDING, **stages),
            initial_checkpoint=base.checkpoint,
        )
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out" / "model.json").exists()


def test_training_less_of_the_backbone_than_was_trained_is_refused(
    base: DrawnBase, tmp_path: Path
) -> None:
    config = replace(BASE, backbone=replace(BASE.backbone, trained="adapters"))
    with pytest.raises(RunError, match="a base whose backbone was trained: last --last-blocks 1"):
        train(
            base.store, base.sources, tmp_path / "out", config, initial_checkpoint=base.checkpoint
        )
