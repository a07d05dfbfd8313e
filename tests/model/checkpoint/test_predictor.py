from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from analytics.warehouse.connection import reading
from data.errors import RunError
from data.store import Store
from model.backbone.backbone import Backbone, load_backbone
from model.backbone.cache import FeatureCache
from model.backbone.settings import RANDOM, BackboneSettings
from model.checkpoint.backbone_in_card import card_of
from model.checkpoint.checkpoint import load_checkpoint, save_checkpoint
from model.checkpoint.predictor import CheckpointPredictor, PredictorSettings, load_predictor
from model.metadata.tensors import metadata_tensors
from model.network.settings import Precision
from model.network.street_model import StreetModel
from model.views.views import ViewExtractor
from replay.candidates.predictor import Batch
from replay.plans.plan import plan
from replay.runs.run import replay
from tests.model.checkpoint.checkpoint_on_vit import (
    BACKBONE,
    SETTINGS,
    TOLERANCE,
    a_model,
    answers_part_by_part,
    assert_same_answers,
    count_views,
    image_batch,
    image_keys_of,
    images,
    images_not_to_be_seen,
)
from tests.model.checkpoint.random_checkpoint import rows
from tests.worlds.stores import LEVEL_0, World, encoded, level_1, picture, write_shard


def test_answers_are_those_of_the_parts(folder: Path, backbone: Backbone) -> None:
    answers = load_predictor(folder).predict(image_batch(3))

    assert_same_answers(answers, answers_part_by_part(backbone))
    assert answers.gates is not None
    assert answers.gates.shape == (3, 12)
    assert answers.gates.dtype == np.float32
    assert answers.probability.dtype == np.float64
    assert np.ptp(answers.probability) > 1000 * TOLERANCE
    # the model's own pruning keeps 8
    assert ((answers.gates > 0).sum(axis=1) == SETTINGS.keep_views).all()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_answers_have_the_bits_of_a_direct_call(precision: Precision, tmp_path: Path) -> None:
    """In one batch; whatever autocast is around a replay."""
    settings = BackboneSettings(BACKBONE, RANDOM, seed=3, precision=precision)
    backbone = load_backbone(settings, "cpu")
    model = StreetModel(replace(SETTINGS, precision=precision)).eval()
    model.load_state_dict(a_model().state_dict())
    save_checkpoint(tmp_path, model, card_of(model.settings, backbone))
    with torch.inference_mode():
        views = ViewExtractor(backbone.views).of_images(images(3))
        direct = model(backbone(views.flatten(0, 1)).view(3, 12, -1))

    with torch.autocast("cpu", torch.bfloat16):
        answers = load_predictor(tmp_path).predict(image_batch(3))

    probability = direct.logits.double().softmax(dim=1)[:, 1].numpy()
    np.testing.assert_array_equal(answers.probability, probability)
    np.testing.assert_array_equal(answers.gates, direct.gates.numpy())


def test_a_backbone_of_another_precision_is_refused(folder: Path) -> None:
    rounded = BackboneSettings(BACKBONE, RANDOM, seed=3, precision="bf16")
    with pytest.raises(RunError, match="found bf16; expected fp32, the precision of the model"):
        CheckpointPredictor(load_checkpoint(folder), load_backbone(rounded, "cpu"), "mine")


def test_batches_change_the_last_bits_at_most(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = load_predictor(folder)
    whole = predictor.predict(image_batch(7))
    ones = [
        predictor.predict(Batch(["x"], [image])).probability[0] for image in image_batch(7).images
    ]
    monkeypatch.setattr("model.checkpoint.predictor._AT_ONCE", 3)

    np.testing.assert_allclose(ones, whole.probability, rtol=0, atol=TOLERANCE)
    assert_same_answers(predictor.predict(image_batch(7)), whole)
    assert predictor.predict(image_batch(0)).probability.shape == (0,)


def test_known_features_give_the_same_bits_and_rebuild_nothing(folder: Path, store: Store) -> None:
    predictor = load_predictor(folder, store)
    assert predictor.known_keys(image_keys_of(5)) == frozenset()
    eager = predictor.predict(image_batch(4, image_keys=image_keys_of(4)))

    assert load_predictor(folder, store).known_keys(image_keys_of(5)) == {*image_keys_of(4)}
    assert load_predictor(folder).known_keys(image_keys_of(5)) == frozenset()
    cached = load_predictor(folder, store).predict(
        Batch(image_keys_of(4), images_not_to_be_seen(4), image_keys=image_keys_of(4))
    )

    np.testing.assert_array_equal(cached.probability, eager.probability)
    np.testing.assert_array_equal(cached.gates, eager.gates)
    assert_same_answers(load_predictor(folder).predict(image_batch(4)), eager)


def test_another_backbone_finds_nothing_in_the_cache(folder: Path, store: Store) -> None:
    load_predictor(folder, store).predict(image_batch(1, image_keys=image_keys_of(1)))
    other = load_backbone(BackboneSettings(BACKBONE, RANDOM, seed=4), "cpu")
    save_checkpoint(store.models / "other", a_model(), card_of(SETTINGS, other))

    with pytest.raises(AssertionError):
        load_predictor(store.models / "other", store).predict(
            Batch(["x"], images_not_to_be_seen(1), image_keys=image_keys_of(1))
        )


@pytest.mark.parametrize("keep", [1, 4, 12])
def test_only_the_chosen_views_reach_the_backbone(
    folder: Path, backbone: Backbone, monkeypatch: pytest.MonkeyPatch, keep: int
) -> None:
    predictor = load_predictor(folder, settings=PredictorSettings(keep=keep))
    view_counts = count_views(monkeypatch)

    answers = predictor.predict(image_batch(3))

    assert sum(view_counts) == 3 * keep
    assert_same_answers(answers, answers_part_by_part(backbone, keep=keep))
    assert answers.gates is not None
    assert ((answers.gates > 0).sum(axis=1) == min(keep, SETTINGS.keep_views)).all()


def test_choosing_takes_what_the_cache_knows_and_adds_nothing(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    six = PredictorSettings(keep=6)
    plain = load_predictor(folder, settings=six).predict(image_batch(5))
    load_predictor(folder, store).predict(image_batch(3, image_keys=image_keys_of(3)))
    predictor = load_predictor(folder, store, six)
    view_counts = count_views(monkeypatch)

    answers = predictor.predict(image_batch(5, image_keys=image_keys_of(5)))

    assert sum(view_counts) == 2 * 6
    assert_same_answers(answers, plain)
    [path] = store.features.glob("*.sqlite")
    cache = FeatureCache(store.features, "", (12, 64))
    cache.path = path
    assert len(cache) == 3


def test_a_scorer_that_was_never_trained_may_not_choose(tmp_path: Path, backbone: Backbone) -> None:
    """The card says so: weight decay moves weights that no loss has reached."""
    save_checkpoint(tmp_path, a_model(), card_of(SETTINGS, backbone, {"trained": ["model"]}))

    with pytest.raises(RunError, match="never trained"):
        load_predictor(tmp_path, settings=PredictorSettings(keep=6))
    load_predictor(tmp_path)


def test_a_checkpoint_trained_on_images_alone_refuses_metadata(
    tmp_path: Path, backbone: Backbone
) -> None:
    with_metadata = PredictorSettings(metadata=True)
    save_checkpoint(
        tmp_path / "images_only", a_model(), card_of(SETTINGS, backbone, {"metadata": False})
    )
    with pytest.raises(
        RunError, match=r"^--metadata: found images_only on test_vit, trained on images"
    ):
        load_predictor(tmp_path / "images_only", settings=with_metadata)
    save_checkpoint(tmp_path / "silent", a_model(), card_of(SETTINGS, backbone))
    with pytest.raises(RunError, match=r"silent on test_vit, whose card does not say"):
        load_predictor(tmp_path / "silent", settings=with_metadata)
    with pytest.raises(RunError, match=r"found mine, whose card does not say"):
        CheckpointPredictor(load_checkpoint(tmp_path / "silent"), backbone, "mine", with_metadata)
    save_checkpoint(tmp_path / "fed", a_model(), card_of(SETTINGS, backbone, {"metadata": True}))
    assert load_predictor(tmp_path / "fed", settings=with_metadata).wants_metadata


def test_more_views_than_there_are_are_refused(folder: Path) -> None:
    with pytest.raises(RunError, match="keep: found 13; expected 1 to 12 views"):
        load_predictor(folder, settings=PredictorSettings(keep=13))


def test_metadata_is_fed_only_when_asked(folder: Path, backbone: Backbone) -> None:
    rows: list[dict[str, Any]] = [
        {"gps_lat": 40.0, "gps_lon": -70.0, "weather": ["Rain"]},
        {},
        {"daytime": "Dark"},
    ]
    given = image_batch(3, metadata=rows)
    plain = load_predictor(folder)
    fed = load_predictor(folder, settings=PredictorSettings(metadata=True))

    assert (plain.wants_metadata, fed.wants_metadata) == (False, True)
    assert_same_answers(plain.predict(given), answers_part_by_part(backbone))
    expected = answers_part_by_part(
        backbone, metadata_tensors(rows, lambda _: np.zeros((0, 384), np.float32))
    )
    assert_same_answers(fed.predict(given), expected)
    assert (
        abs(expected.probability - answers_part_by_part(backbone).probability).max()
        > 10 * TOLERANCE
    )


def test_fingerprint_changes_with_all_that_answers_depend_on(
    folder: Path, backbone: Backbone, tmp_path: Path
) -> None:
    def of(where: Path, settings: PredictorSettings = PredictorSettings()) -> str:
        return load_predictor(where, settings=settings).fingerprint

    save_checkpoint(tmp_path / "other", a_model(1), card_of(SETTINGS, backbone))
    fingerprints = [
        of(folder),
        of(folder, PredictorSettings(metadata=True)),
        of(folder, PredictorSettings(keep=6)),
        of(folder, PredictorSettings(keep=7)),
        of(tmp_path / "other"),
    ]

    assert len(set(fingerprints)) == len(fingerprints)
    assert of(folder) == fingerprints[0]


def test_settings_that_no_weight_shows_are_in_the_fingerprint(
    folder: Path, backbone: Backbone, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, prune_after=2)
    model = StreetModel(settings)
    model.load_state_dict(a_model().state_dict())
    save_checkpoint(tmp_path, model, card_of(settings, backbone))

    ours, theirs = load_checkpoint(folder), load_checkpoint(tmp_path)
    assert ours.sha256 == theirs.sha256
    assert load_predictor(folder).fingerprint != load_predictor(tmp_path).fingerprint


def test_features_of_another_width_are_refused(tmp_path: Path, backbone: Backbone) -> None:
    settings = replace(SETTINGS, features=32)
    save_checkpoint(tmp_path, StreetModel(settings), card_of(settings, backbone))

    with pytest.raises(RunError, match=r"\(1, 12, 64\).*\(B, 12, 32\)"):
        load_predictor(tmp_path).predict(image_batch(1))


def test_a_replay_stores_gates_and_a_second_one_reads_features(
    folder: Path, store: Store, record: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(store, record)
    write_shard(store.sources, [encoded(picture((320, 240), seed=k)) for k in range(3)])
    for row in range(3):
        world.ask(row, label=row % 2, **LEVEL_0)
        world.ask(row, label=row % 2, **level_1(10.0 + row, [0, 0, 200, 200]))
    planned = plan(world.ingest(), world.shards)

    report = replay(store, load_predictor(folder, store), planned, world.shards)
    view_counts = count_views(monkeypatch)
    fed = load_predictor(folder, store, PredictorSettings(metadata=True))
    second = replay(store, fed, planned, world.shards)

    assert not view_counts
    assert (report.predicted, report.uses_metadata, second.uses_metadata) == (6, False, True)
    assert report.run_id != second.run_id
    with reading(store) as connection:
        counts = connection.execute(
            "SELECT run_id, view, count(*), min(gate), max(gate) FROM replay_gates GROUP BY ALL"
        ).fetchall()
    assert {view for _, view, *_ in counts} == set(range(1, 13))
    assert len(counts) == 24
    assert all(n == 6 and 0 <= low <= high <= 1 for _, _, n, low, high in counts)


def test_training_rows_beside_a_checkpoint_are_its_own(folder: Path, tmp_path: Path) -> None:
    assert load_predictor(folder).training_rows is None
    trained, card = tmp_path / "trained", load_checkpoint(folder).card
    save_checkpoint(trained, load_checkpoint(folder).model, card, training_rows=rows(0))

    assert load_predictor(trained).training_rows == trained / "training_rows.parquet"
    assert load_predictor(trained).fingerprint == load_predictor(folder).fingerprint
