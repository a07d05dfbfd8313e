"""Two replays of the same golden challenges: a checkpoint's, and its export's."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from analytics.ingest.ingest import ingest
from analytics.queries.challenges import stored_challenges
from analytics.warehouse.connection import reading
from data.sources.shards import Shards
from data.store import Store
from model.backbone.backbone import Backbone, load_backbone
from model.backbone.settings import RANDOM, BackboneSettings
from model.checkpoint.backbone_in_card import card_of
from model.checkpoint.checkpoint import save_checkpoint
from model.checkpoint.predictor import load_predictor
from model.export.export import export
from model.export.predictor import load_export
from model.network.street_model import StreetModel
from model.views.views import VIEWS, ViewExtractor
from replay.candidates.predictor import Image
from replay.plans.plan import plan
from replay.runs.run import replay
from replay.settings import Arithmetic, VariantSettings
from tests.conftest import GOLDEN
from tests.model.checkpoint.checkpoint_on_vit import BACKBONE, SETTINGS, a_model
from tests.model.optimization.known_costs import costs_are_known
from tests.worlds.golden_images import ERAS, golden_images

# Of test_vit's views, so that hundreds of images take seconds.
_SIDE = 64
_RUNS = "runs.json"
"""The ids of the export's run and the checkpoint's."""


@dataclass(frozen=True)
class GoldenReplays:
    """A store with both replays, their run ids, and the folders of checkpoint and export."""

    store: Store
    checkpoint: Path
    export: Path
    checkpoint_run: str
    export_run: str


def golden_pixels() -> list[Image]:
    """The golden images of level 0."""
    return [one.pixels[Arithmetic.AVX2] for one in golden_images((0,))]


def an_undecided_model(backbone: Backbone) -> StreetModel:
    """A model whose answers to golden images spread around 0.5, so that differences show."""
    model = a_model()
    last = model.head[-1]
    assert isinstance(last, nn.Linear)
    views = ViewExtractor(backbone.views).of_images(golden_pixels())
    with torch.no_grad():
        last.bias.zero_()
        features = backbone(views.flatten(0, 1)).unflatten(0, (-1, VIEWS))
        none, roadwork = model(features).logits.unbind(1)
        scale = 1.5 / (roadwork - none).std()
        last.weight.mul_(scale)
        last.bias[0] = scale * (roadwork - none).median()
    return model


def golden_replays_in(folder: Path) -> GoldenReplays:
    """What `replay_golden_challenges` left in a folder."""
    export_run, checkpoint_run = json.loads((folder / _RUNS).read_text())
    store = Store(folder / "store")
    return GoldenReplays(store, folder / "mine", folder / "miner", checkpoint_run, export_run)


def replay_golden_challenges(folder: Path) -> None:
    """Replay all golden challenges that can be rebuilt, an image each."""
    store = Store(folder / "store")
    store.sources.mkdir(parents=True)
    for era in ERAS:
        for shard in (GOLDEN / era / "sources").glob("*.parquet"):
            shutil.copyfile(shard, store.sources / shard.name)
    ingest(store, [GOLDEN / era / "challenges.jsonl" for era in ERAS])
    checkpoint, exported = folder / "mine", folder / "miner"
    backbone = load_backbone(BackboneSettings(BACKBONE, RANDOM, _SIDE, seed=3), "cpu")
    save_checkpoint(checkpoint, an_undecided_model(backbone), card_of(SETTINGS, backbone))
    with costs_are_known():
        export(store, checkpoint, exported)
    with reading(store) as connection:
        challenges = stored_challenges(connection)
    shards = Shards(store.sources)
    planned = plan(challenges, shards, VariantSettings(count=1))
    # the checkpoint's last: the newest is what an export takes its threshold from
    with costs_are_known():
        candidates = load_export(exported), load_predictor(checkpoint)
    runs = [replay(store, candidate, planned, shards).run_id for candidate in candidates]
    (folder / _RUNS).write_text(json.dumps(runs))
