import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from analytics.warehouse.connection import reading
from data.errors import RunError
from data.store import Store
from model.backbone.backbone import RANDOM, Backbone, BackboneSettings, load_backbone
from model.backbone.batch_size import ForwardCost
from model.backbone.cache import FeatureCache
from model.checkpoint.backbone_in_card import backbone_of, card_of
from model.checkpoint.checkpoint import load_checkpoint, save_checkpoint
from model.checkpoint.command_line_name import names_checkpoint, parse_checkpoint_name
from model.checkpoint.predictor import CheckpointPredictor, PredictorSettings, load_predictor
from model.metadata.tensors import metadata_tensors
from model.network.settings import ModelSettings
from model.network.street_model import StreetModel
from model.views.views import ViewExtractor
from replay.candidates.predictor import Batch, Image, LazySequence, Predictions
from replay.candidates.registry import LoadSettings, load
from replay.plans.plan import plan
from replay.runs.run import replay
from tests.conftest import ROOT
from tests.worlds.stores import LEVEL_0, World, encoded, level_1, picture, write_shard

NAME = "test_vit"
SETTINGS = ModelSettings(features=64, width=32, heads=4, layers=2, prune_after=1, seed=1)
# Of probability and gates, as the module states it.
TOLERANCE = 1e-4
# Puts the answers to the first three images at 0.13 to 0.7.
BIAS = [0.0, 18.8]


@pytest.fixture(autouse=True)
def nothing_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture(autouse=True)
def cost_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds for every backbone loaded else; `test_backbone` has what it is worth."""
    monkeypatch.setattr("model.backbone.backbone.forward_cost", lambda *_: ForwardCost(0, 2**20))


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load_backbone(BackboneSettings(NAME, RANDOM, seed=3), "cpu")


def a_model(seed: int = 0) -> StreetModel:
    """With a scorer that was moved, and answers that are not all near 0.5."""
    model = StreetModel(SETTINGS)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.3)
        last = model.head[-1]
        assert isinstance(last, nn.Linear)
        last.weight.mul_(3)
        last.bias.copy_(torch.tensor(BIAS))
    return model.eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, backbone: Backbone) -> Path:
    folder = tmp_path_factory.mktemp("models") / "mine"
    save_checkpoint(folder, a_model(), card_of(SETTINGS, backbone, {"trained": ["scorer"]}))
    return folder


def images(count: int) -> list[Image]:
    sizes = ((60, 80), (200, 170), (30, 30))
    return [np.asarray(picture(sizes[k % 3], seed=k)) for k in range(count)]


def batch(count: int, **more: Any) -> Batch:
    return Batch([str(k) for k in range(count)], images(count), **more)


def keys(count: int) -> list[str]:
    return [f"image {k}" for k in range(count)]


def close(found: Predictions, expected: Predictions) -> None:
    np.testing.assert_allclose(found.probability, expected.probability, rtol=0, atol=TOLERANCE)
    assert found.gates is not None
    assert expected.gates is not None
    np.testing.assert_allclose(found.gates, expected.gates, rtol=0, atol=TOLERANCE)


def unseen(count: int) -> LazySequence[Image]:
    """Images that must not be looked at."""

    def refuse() -> Image:
        raise AssertionError

    return LazySequence([refuse] * count)


def by_hand(backbone: Backbone, metadata: Any = None, keep: int | None = None) -> Predictions:
    """What `batch(3)` is worth, by the parts themselves, one image at a time."""
    model = a_model()
    probabilities, gates = [], []
    for index, image in enumerate(images(3)):
        row = None if metadata is None else metadata.rows(torch.tensor([index]))
        with torch.inference_mode():
            features = backbone(ViewExtractor(backbone.views).of_images([image])[0])[None]
            views = None if keep is None else model.scorer.choose(features[:, 0], keep)
            chosen = features if views is None else features[:, views[0]]
            output = model(chosen, row, views=views)
        probabilities.append(output.logits[0].double().softmax(0)[1].item())
        gates.append(output.gates[0].numpy())
    return Predictions(np.array(probabilities), np.stack(gates))


def test_answers_are_those_of_the_parts(folder: Path, backbone: Backbone) -> None:
    found = load_predictor(folder).predict(batch(3))

    close(found, by_hand(backbone))
    assert found.gates is not None
    assert found.gates.shape == (3, 12)
    assert found.gates.dtype == np.float32
    assert found.probability.dtype == np.float64
    assert np.ptp(found.probability) > 1000 * TOLERANCE
    # the model's own pruning keeps 8
    assert ((found.gates > 0).sum(axis=1) == SETTINGS.keep_views).all()


def test_batches_change_the_last_bits_at_most(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = load_predictor(folder)
    whole = predictor.predict(batch(7))
    ones = [predictor.predict(Batch(["x"], [image])).probability[0] for image in batch(7).images]
    monkeypatch.setattr("model.checkpoint.predictor._AT_ONCE", 3)

    np.testing.assert_allclose(ones, whole.probability, rtol=0, atol=TOLERANCE)
    close(predictor.predict(batch(7)), whole)
    assert predictor.predict(batch(0)).probability.shape == (0,)


def test_known_features_give_the_same_bits_and_rebuild_nothing(folder: Path, store: Store) -> None:
    predictor = load_predictor(folder, store)
    eager = predictor.predict(batch(4, image_keys=keys(4)))

    cached = load_predictor(folder, store).predict(Batch(keys(4), unseen(4), image_keys=keys(4)))

    np.testing.assert_array_equal(cached.probability, eager.probability)
    np.testing.assert_array_equal(cached.gates, eager.gates)
    close(load_predictor(folder).predict(batch(4)), eager)


def test_another_backbone_finds_nothing_in_the_cache(folder: Path, store: Store) -> None:
    load_predictor(folder, store).predict(batch(1, image_keys=keys(1)))
    other = load_backbone(BackboneSettings(NAME, RANDOM, seed=4), "cpu")
    save_checkpoint(store.models / "other", a_model(), card_of(SETTINGS, other))

    with pytest.raises(AssertionError):
        load_predictor(store.models / "other", store).predict(
            Batch(["x"], unseen(1), image_keys=keys(1))
        )


@pytest.mark.parametrize("keep", [1, 4, 12])
def test_only_the_chosen_views_reach_the_backbone(
    folder: Path, backbone: Backbone, monkeypatch: pytest.MonkeyPatch, keep: int
) -> None:
    predictor = load_predictor(folder, settings=PredictorSettings(keep=keep))
    ran = counted(monkeypatch)

    found = predictor.predict(batch(3))

    assert sum(ran) == 3 * keep
    close(found, by_hand(backbone, keep=keep))
    assert found.gates is not None
    assert ((found.gates > 0).sum(axis=1) == min(keep, SETTINGS.keep_views)).all()


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many views each pass of a backbone gets from now on."""
    ran: list[int] = []
    real: Callable[[Backbone, torch.Tensor], torch.Tensor] = Backbone.forward

    def forward(self: Backbone, views: torch.Tensor) -> torch.Tensor:
        ran.append(len(views))
        return real(self, views)

    monkeypatch.setattr(Backbone, "forward", forward)
    return ran


def test_choosing_takes_what_the_cache_knows_and_adds_nothing(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    six = PredictorSettings(keep=6)
    plain = load_predictor(folder, settings=six).predict(batch(5))
    load_predictor(folder, store).predict(batch(3, image_keys=keys(3)))
    predictor = load_predictor(folder, store, six)
    ran = counted(monkeypatch)

    found = predictor.predict(batch(5, image_keys=keys(5)))

    assert sum(ran) == 2 * 6
    close(found, plain)
    [path] = store.features.glob("*.sqlite")
    cache = FeatureCache(store.features, "", (12, 64))
    cache.path = path
    assert len(cache) == 3


def test_a_scorer_that_was_never_trained_may_not_choose(tmp_path: Path, backbone: Backbone) -> None:
    """Told by the card: weight decay moves weights that no loss has reached."""
    save_checkpoint(tmp_path, a_model(), card_of(SETTINGS, backbone, {"trained": ["model"]}))

    with pytest.raises(RunError, match="never trained"):
        load_predictor(tmp_path, settings=PredictorSettings(keep=6))
    load_predictor(tmp_path)


def test_a_checkpoint_trained_on_images_alone_refuses_metadata(
    tmp_path: Path, backbone: Backbone
) -> None:
    fed = PredictorSettings(metadata=True)
    save_checkpoint(tmp_path / "blind", a_model(), card_of(SETTINGS, backbone, {"metadata": False}))
    with pytest.raises(RunError, match=r"^--metadata: found blind on test_vit, trained on images"):
        load_predictor(tmp_path / "blind", settings=fed)
    save_checkpoint(tmp_path / "fed", a_model(), card_of(SETTINGS, backbone, {"metadata": True}))
    assert load_predictor(tmp_path / "fed", settings=fed).wants_metadata


def test_a_card_that_names_a_huge_backbone_is_refused_before_it_is_made(
    tmp_path: Path, backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(tmp_path, a_model(), card_of(SETTINGS, backbone), backbone)
    path = tmp_path / "model.json"
    written = json.loads(path.read_text()) | {"backbone": "vit_7b_patch16_dinov3"}
    path.write_text(json.dumps(written))
    monkeypatch.setattr("model.checkpoint.backbone_in_card.load_backbone", None)
    with pytest.raises(RunError, match=r"weights of vit_7b_patch16_dinov3 in .*different"):
        load_predictor(tmp_path)


def test_more_views_than_there_are_are_refused(folder: Path) -> None:
    with pytest.raises(RunError, match="keep: found 13; expected 1 to 12 views"):
        load_predictor(folder, settings=PredictorSettings(keep=13))


def test_metadata_is_fed_only_when_asked(folder: Path, backbone: Backbone) -> None:
    rows: list[dict[str, Any]] = [
        {"gps_lat": 40.0, "gps_lon": -70.0, "weather": ["Rain"]},
        {},
        {"daytime": "Dark"},
    ]
    given = batch(3, metadata=rows)
    plain = load_predictor(folder)
    fed = load_predictor(folder, settings=PredictorSettings(metadata=True))

    assert (plain.wants_metadata, fed.wants_metadata) == (False, True)
    close(plain.predict(given), by_hand(backbone))
    expected = by_hand(backbone, metadata_tensors(rows, lambda _: np.zeros((0, 384), np.float32)))
    close(fed.predict(given), expected)
    assert abs(expected.probability - by_hand(backbone).probability).max() > 10 * TOLERANCE


def test_fingerprint_changes_with_all_that_answers_depend_on(
    folder: Path, backbone: Backbone, tmp_path: Path
) -> None:
    def of(where: Path, settings: PredictorSettings = PredictorSettings()) -> str:
        return load_predictor(where, settings=settings).fingerprint

    save_checkpoint(tmp_path / "other", a_model(1), card_of(SETTINGS, backbone))
    found = [
        of(folder),
        of(folder, PredictorSettings(metadata=True)),
        of(folder, PredictorSettings(keep=6)),
        of(folder, PredictorSettings(keep=7)),
        of(tmp_path / "other"),
    ]

    assert len(set(found)) == len(found)
    assert of(folder) == found[0]


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


def test_a_trained_backbone_comes_from_the_checkpoint(tmp_path: Path, store: Store) -> None:
    trained = load_backbone(BackboneSettings(NAME, RANDOM, frozen=False), "cpu").eval()
    with torch.no_grad():
        for parameter in trained.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.02)
    save_checkpoint(tmp_path, a_model(), card_of(SETTINGS, trained), trained)

    made = backbone_of(load_checkpoint(tmp_path), "cpu")

    assert made.fingerprint == trained.fingerprint
    assert made.settings.frozen
    predictor = load_predictor(tmp_path, store)
    close(predictor.predict(batch(3, image_keys=keys(3))), by_hand(trained))
    assert not list(store.root.rglob("*.sqlite"))


def test_a_file_of_weights_is_found_again_and_checked(tmp_path: Path, backbone: Backbone) -> None:
    file = tmp_path / "vit.safetensors"
    save_file(backbone.model.state_dict(), file)
    from_file = load_backbone(BackboneSettings(NAME, str(file)), "cpu")
    save_checkpoint(tmp_path / "new", a_model(), card_of(SETTINGS, from_file))
    close(load_predictor(tmp_path / "new").predict(batch(3)), by_hand(backbone))

    nn.init.zeros_(from_file.model.norm.bias)
    nn.init.ones_(from_file.model.pos_embed)
    save_file(from_file.model.state_dict(), file)
    with pytest.raises(RunError, match=r"weights of the backbone: found [0-9a-f]{64}; exp"):
        load_predictor(tmp_path / "new")

    file.unlink()
    with pytest.raises(RunError, match=r"vit\.safetensors: found no such file"):
        load_predictor(tmp_path / "new")


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("training",), {}, "timm"),
        (("training", "backbone", "timm"), "0.9.0", r"pip install timm==0\.9\.0"),
        (("training", "backbone", "weights"), 3, "weights of the backbone in model.json: found 3"),
        (("views", "side"), "wide", "side of the backbone in model.json: found 'wide'"),
        (("views", "version"), 99, "geometry of the views: .*expected.*99"),
        (("backbone",), "test_vit9", "no such model in timm"),
        (("backbone_fingerprint",), "0" * 64, "weights of the backbone: found .*expected 0{64}"),
    ],
)
def test_a_card_of_another_backbone_is_refused(
    tmp_path: Path, backbone: Backbone, path: tuple[str, ...], value: Any, words: str
) -> None:
    save_checkpoint(tmp_path, a_model(), card_of(SETTINGS, backbone))
    card = json.loads((tmp_path / "model.json").read_text())
    inner = card
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    (tmp_path / "model.json").write_text(json.dumps(card))

    with pytest.raises(RunError, match=words):
        load_predictor(tmp_path)


def test_features_of_another_width_are_refused(tmp_path: Path, backbone: Backbone) -> None:
    settings = replace(SETTINGS, features=32)
    save_checkpoint(tmp_path, StreetModel(settings), card_of(settings, backbone))

    with pytest.raises(RunError, match=r"\(1, 12, 64\).*\(B, 12, 32\)"):
        load_predictor(tmp_path).predict(batch(1))


def test_names(tmp_path: Path) -> None:
    (tmp_path / "a#keep=3").mkdir()
    for name, folder, keep in (
        (f"{tmp_path}", tmp_path, None),
        (f"checkpoint:{tmp_path}#keep=6", tmp_path, 6),
        (f"{tmp_path}#keep=12", tmp_path, 12),
        (f"{tmp_path}/a#keep=3", tmp_path / "a#keep=3", None),
        (f"{tmp_path}/a#keep=3#keep=4", tmp_path / "a#keep=3", 4),
        ("checkpoint:none", Path("none"), None),
    ):
        assert names_checkpoint(name)
        named = parse_checkpoint_name(name)
        assert (named.folder, named.keep) == (folder, keep)
    for name in ("mine:Candidate", "nothing-here", "hf:nothing#x"):
        assert not names_checkpoint(name)


@pytest.mark.parametrize("option", ["keep=0", "keep=-1", "keep=²", "keep=", "views=3"])
def test_other_options_are_refused(tmp_path: Path, option: str) -> None:
    with pytest.raises(RunError, match="expected keep=N"):
        parse_checkpoint_name(f"checkpoint:{tmp_path}#{option}")


def test_command_line_names_load_a_checkpoint(folder: Path, store: Store) -> None:
    import streetreplay  # noqa: F401, PLC0415

    for name, expected in (
        (str(folder), "mine on test_vit"),
        (f"checkpoint:{folder}#keep=6", "mine on test_vit, 6 views before the backbone"),
    ):
        found = load(name, LoadSettings(store, metadata=True))
        assert isinstance(found, CheckpointPredictor)
        assert found.name == expected
        assert found.wants_metadata
    with pytest.raises(RunError, match=r"--metadata: found safety-orange baseline"):
        load("orange", LoadSettings(store, metadata=True))
    with pytest.raises(RunError, match=r"no model\.json; expected model\.json and"):
        load(str(folder.parent))
    with pytest.raises(RunError, match="checkpoint's folder"):
        load("nothing-here")


def test_naming_a_checkpoint_imports_no_torch() -> None:
    program = "import sys, streetreplay; print({'torch', 'timm', 'sqlite3'} & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


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
    ran = counted(monkeypatch)
    fed = load_predictor(folder, store, PredictorSettings(metadata=True))
    second = replay(store, fed, planned, world.shards)

    assert not ran
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
    save_checkpoint(trained, load_checkpoint(folder).model, card, training_rows=b"rows")

    assert load_predictor(trained).training_rows == trained / "training_rows.parquet"
    assert load_predictor(trained).fingerprint == load_predictor(folder).fingerprint


def test_card_says_where_weights_come_from(backbone: Backbone) -> None:
    card = card_of(SETTINGS, backbone, {"rows": 5})

    assert card.training == {
        "rows": 5,
        "backbone": {
            "weights": "random",
            "seed": 3,
            "timm": timm.__version__,
        },
    }
    assert card.views["side"] == 160
