"""What of a base's backbone may be trained further, and what its card decides."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.errors import RunError
from model.backbone.backbone import load_backbone
from model.backbone.settings import RANDOM, AdapterSettings, BackboneSettings, Trained
from model.checkpoint.backbone_in_card import backbone_of
from model.checkpoint.card import BACKBONE_KEY
from model.checkpoint.checkpoint import load_checkpoint
from model.fine_tuning.base import check_averageable, tuned_config
from model.fine_tuning.finetune import finetune
from model.fine_tuning.settings import FineTuningConfig, FineTuningSettings
from model.training.base_checkpoint import Base, load_base
from model.training.run_folder import TrainingRun
from tests.model.fine_tuning.drawn_base import TINY, DrawnBase, draw_base

OTHER = AdapterSettings(rank=4)


def with_training(base: Base, **changes: Any) -> Base:
    card = base.checkpoint.card
    card = replace(card, training={**card.training, **changes})
    return replace(base, checkpoint=replace(base.checkpoint, card=card))


def trained_base(drawn: DrawnBase, trained: Trained, last_blocks: int | None = None) -> Base:
    """The base as if its backbone had been trained so."""
    import peft  # noqa: PLC0415

    base = load_base(drawn.checkpoint)
    described = {
        **base.checkpoint.card.training[BACKBONE_KEY],
        "trained": trained,
        "last_blocks": last_blocks,
    }
    if trained == "adapters":
        described |= {"adapter": asdict(OTHER), "peft": peft.__version__}
    return with_training(base, **{BACKBONE_KEY: described})


def tuning(trained: Trained, last_blocks: int = 2, **changes: Any) -> FineTuningConfig:
    chosen = replace(TINY.fine_tuning, trained=trained, last_blocks=last_blocks)
    return replace(TINY, fine_tuning=chosen, **changes)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("none", None), tuning("adapters")),
        (("none", None), tuning("last", 1)),
        (("none", None), tuning("all")),
        (("last", 2), tuning("last", 2)),
        (("last", 2), tuning("last", 3)),
        (("last", 2), tuning("all")),
        (("all", None), tuning("all")),
        (("adapters", None), tuning("adapters")),
        (("adapters", None), tuning("adapters", adapter=OTHER)),
        (("all", None), tuning("none")),
        (("adapters", None), tuning("none")),
    ],
)
def test_what_was_trained_may_be_trained_further(
    base: DrawnBase, before: tuple[Trained, int | None], after: FineTuningConfig
) -> None:
    config = tuned_config(trained_base(base, *before), after)
    assert config.backbone.trained == after.fine_tuning.trained
    assert config.backbone.name == "test_vit"
    assert config.backbone.side == 32
    if before[0] == "adapters" and after.fine_tuning.trained == "adapters":
        assert config.backbone.adapter == OTHER


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (("last", 2), tuning("last", 1), "last --last-blocks 2"),
        (("last", 2), tuning("adapters"), "last --last-blocks 2"),
        (("all", None), tuning("last"), "trained: all"),
        (("all", None), tuning("adapters"), "trained: all"),
        (("adapters", None), tuning("all"), r"adapters \(lora, rank 4"),
        (("adapters", None), tuning("last"), r"adapters \(lora, rank 4"),
        (("adapters", None), tuning("adapters", adapter=AdapterSettings("dora")), "rank 4"),
    ],
)
def test_what_would_be_lost_is_refused(
    base: DrawnBase, before: tuple[Trained, int | None], after: FineTuningConfig, found: str
) -> None:
    with pytest.raises(RunError, match=found) as error:
        tuned_config(trained_base(base, *before), after)
    assert "\n" not in str(error.value)


def test_metadata_is_as_the_card_says(base: DrawnBase) -> None:
    loaded = load_base(base.checkpoint)
    asked = replace(TINY, dataset=replace(TINY.dataset, metadata=True))
    assert not tuned_config(loaded, TINY).dataset.metadata
    with pytest.raises(RunError, match="the base model, trained on images alone"):
        tuned_config(loaded, asked)
    with_metadata = with_training(loaded, metadata=True)
    assert tuned_config(with_metadata, TINY).dataset.metadata
    assert tuned_config(with_metadata, asked).dataset.metadata


def test_the_model_is_the_bases_but_for_its_dropout(base: DrawnBase) -> None:
    config = tuned_config(load_base(base.checkpoint), TINY)
    settings = load_checkpoint(base.checkpoint).card.settings
    assert config.model == replace(settings, dropout=0.2)
    assert FineTuningConfig().optimizer.lr == 1e-6
    assert FineTuningConfig().optimizer.weight_decay == 0.02
    assert FineTuningConfig().training.patience == 2


def test_statistics_that_have_no_mean_are_refused() -> None:
    settings = BackboneSettings("test_resnet", RANDOM, side=32, trained="all")
    backbone = load_backbone(settings, "cpu")
    chosen = FineTuningSettings(trained="all")
    with pytest.raises(RunError, match=r"num_batches_tracked in test_resnet.*--averaged-folds 1"):
        check_averageable(backbone, chosen)
    check_averageable(backbone, replace(chosen, averaged_folds=1))
    check_averageable(backbone.freeze(), chosen)
    vit = load_backbone(replace(settings, name="test_vit"), "cpu")
    check_averageable(vit, chosen)


def test_more_folds_cannot_be_averaged_than_there_are() -> None:
    with pytest.raises(RunError, match="at most 2, the number of folds"):
        FineTuningSettings(folds=2)


@pytest.fixture(scope="module")
def last(tmp_path_factory: pytest.TempPathFactory, on_the_processor: None) -> DrawnBase:
    """A base whose backbone's last block was trained."""
    return draw_base(tmp_path_factory.mktemp("last"), "last")


def test_a_trained_backbone_stays_as_the_base_has_it_unless_asked(
    last: DrawnBase, tmp_path: Path
) -> None:
    once = replace(TINY, training=replace(TINY.training, epochs=1))
    report = finetune(last.store, last.sources, last.checkpoint, tmp_path / "out", once)
    first, result = load_checkpoint(last.checkpoint), load_checkpoint(tmp_path / "out")
    assert result.card.trained == first.card.trained
    assert "backbone" in result.card.trained
    assert result.card.training[BACKBONE_KEY] == first.card.training[BACKBONE_KEY]
    assert result.backbone.keys() == first.backbone.keys()
    for name, tensor in first.backbone.items():
        assert torch.equal(result.backbone[name], tensor)
    backbone_of(result)
    assert report.backbone == "test_vit"


def test_a_trained_backbone_is_trained_further_where_asked(
    last: DrawnBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TrainingRun, "clean_up", lambda _run: None)
    once = tuning("last", 1, training=replace(TINY.training, epochs=1, views=2))
    report = finetune(last.store, last.sources, last.checkpoint, tmp_path / "out", once)
    first, result = load_checkpoint(last.checkpoint), load_checkpoint(tmp_path / "out")
    run = last.store.runs / report.run_id
    folds = [load_checkpoint(run / f"fold-{k}" / "best") for k in report.averaged]
    assert result.backbone.keys() == first.backbone.keys()
    for name, tensor in result.backbone.items():
        values = [fold.backbone[name].double().numpy() for fold in folds]
        np.testing.assert_allclose(tensor.numpy(), np.mean(values, axis=0), rtol=1e-6, atol=1e-12)
    assert not all(torch.equal(result.backbone[k], first.backbone[k]) for k in first.backbone)
    # all of it is checked against the card: the blocks below are the base's
    backbone_of(result)
