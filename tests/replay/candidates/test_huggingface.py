import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image as PILImage
from safetensors.torch import load_file, save_file

from replay.candidates.huggingface import HuggingFaceModel, load_hugging_face
from replay.candidates.predictor import Batch, Image, LazySequence
from replay.candidates.registry import load
from replay.rebuilding.rebuild import CannotRebuildError
from tests.replay.candidates.huggingface_models import CONVNEXT, LABELS, VIT, edit, folder_of, saved
from tests.replay.candidates.loaded_candidates import MINE, answers, pictures, refusal


def by_pipeline(name: str, image: Image, label: str, **how: Any) -> float:
    pipeline: Any = transformers.pipeline("image-classification", str(folder_of(name)))
    scores = pipeline(PILImage.fromarray(image).convert("RGB"), **how)
    return next(float(score["score"]) for score in scores if score["label"] == label)


@pytest.mark.parametrize("config", [VIT, CONVNEXT], ids=["vit", "convnext"])
@pytest.mark.parametrize("labels", [LABELS, ("construction", "normal road")])
def test_answers_are_those_of_the_transformers_pipeline(
    tmp_path: Path, config: Any, labels: tuple[str, str]
) -> None:
    name = saved(tmp_path / "model", config, labels)
    model = load(name)
    images = pictures(3)
    label = "Roadwork" if labels == LABELS else "construction"
    expected = [by_pipeline(name, image, label) for image in images]
    assert np.ptp(expected) > 0.001
    np.testing.assert_allclose(answers(model, images), expected, atol=1e-6)
    assert (model.name, model.wants_metadata) == (name, False)


def test_a_single_logit_and_a_multi_label_model_go_through_a_sigmoid(tmp_path: Path) -> None:
    image = pictures(1)[0]
    single = saved(tmp_path / "single", labels=["roadwork"])
    several = saved(tmp_path / "several", problem_type="multi_label_classification")
    for name, label in ((single, "roadwork"), (several, "Roadwork")):
        expected = by_pipeline(name, image, label)
        np.testing.assert_allclose(answers(load(name), [image]), [expected], atol=1e-6)


def test_a_timm_model_brings_its_processing_in_its_config(tmp_path: Path) -> None:
    cfg = {"input_size": [3, 64, 64], "mean": [0.5] * 3, "std": [0.5] * 3, "crop_pct": 1.0}
    settings = {"architecture": "test_vit", "label_names": ["none", "roadwork"], "num_classes": 2}
    kinds: Any = transformers
    config = kinds.TimmWrapperConfig.from_dict(settings | {"pretrained_cfg": cfg})
    kinds.utils.logging.disable_progress_bar()
    kinds.TimmWrapperForImageClassification(config).save_pretrained(tmp_path / "timm")
    name, image = f"hf:{tmp_path / 'timm'}", pictures(1, (64, 64))[0]
    expected = by_pipeline(name, image, "roadwork")
    np.testing.assert_allclose(answers(load(name), [image]), [expected], atol=1e-6)
    for place in ("hf-hub:some/where", "local-dir:/tmp"):
        edit(name, architecture=place)
        assert f"found {place}" in refusal(name)
    edit(name, architecture="test_vit", pretrained_cfg=cfg | {"input_size": [3, 2**15, 2**15]})
    assert "input_size 32768; expected at most 4096 pixels" in refusal(name)
    edit(name, pretrained_cfg=cfg, model_args={"checkpoint_path": "weights.bin"})
    assert "found checkpoint_path" in refusal(name)


@pytest.mark.parametrize("config", [VIT, CONVNEXT], ids=["vit", "convnext"])
def test_an_answer_does_not_depend_on_the_batch_to_the_last_bit(
    tmp_path: Path, config: Any
) -> None:
    model = load(saved(tmp_path / "model", config))
    images = [*pictures(5), *pictures(4, (33, 21))]
    together = answers(model, images)
    assert len(set(together)) == len(images)
    for size in (1, 4):
        cut = [answers(model, images[k : k + size]) for k in range(0, len(images), size)]
        assert np.concatenate(cut).tolist() == together.tolist()
    assert answers(model, images[::-1])[::-1].tolist() == together.tolist()
    assert answers(model, []).shape == (0,)


def test_images_that_are_prepared_to_several_sizes_are_answered_in_their_order(
    tmp_path: Path,
) -> None:
    name = saved(tmp_path / "model", CONVNEXT)
    processor: Any = transformers.ViTImageProcessor(do_resize=False)
    processor.save_pretrained(folder_of(name))
    small, large = pictures(2, (40, 56)), pictures(2, (64, 64))
    images = [small[0], large[0], small[1], large[1]]
    expected = [by_pipeline(name, image, "Roadwork") for image in images]
    np.testing.assert_allclose(answers(load(name), images), expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(31, 47), (31, 47, 1), (3, 50, 3), (1, 1, 3), (50, 3, 3)])
def test_grey_and_oddly_sized_images_are_answered_as_pictures(
    vit: str, shape: tuple[int, ...]
) -> None:
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    drawn = image[..., 0] if shape[-1] == 1 else image
    expected = by_pipeline(vit, drawn, "Roadwork")
    np.testing.assert_allclose(answers(load(vit), [image]), [expected], atol=1e-6)


def test_an_image_that_cannot_be_rebuilt_is_told_to_the_runner(vit: str, tmp_path: Path) -> None:
    def fails() -> Image:
        raise CannotRebuildError("7", "bytes unreadable", "x")  # type: ignore[arg-type]

    (tmp_path / "seeing.py").write_text(MINE.replace("0.25", "float(batch.images[0].mean())"))
    sys.path.insert(0, str(tmp_path))
    try:
        for model in (load(vit), load("seeing:Mine")):
            with pytest.raises(CannotRebuildError):
                model.predict(Batch(["7"], LazySequence([fails])))
    finally:
        sys.path.remove(str(tmp_path))


def test_half_precision_weights_are_answered_in_float32(vit: str) -> None:
    file = folder_of(vit) / "model.safetensors"
    save_file({key: value.half() for key, value in load_file(file).items()}, file)
    edit(vit, dtype="float16")
    model = load_hugging_face(vit)
    assert {value.dtype for value in model.model.parameters()} == {torch.float32}
    assert not model.model.training


def test_sharded_weights_are_the_same_model(vit: str) -> None:
    images, folder = pictures(2), folder_of(vit)
    whole, before = answers(load(vit), images), load(vit).fingerprint
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = [f"model-0000{k}-of-00002.safetensors" for k in (1, 2)]
    places = {key: names[k % 2] for k, key in enumerate(tensors)}
    for file in names:
        save_file({k: v for k, v in tensors.items() if places[k] == file}, folder / file)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": places}))
    assert answers(load(vit), images).tolist() == whole.tolist()
    assert load(vit).fingerprint != before
    (folder / names[1]).unlink()
    assert f"found no {names[1]}" in refusal(vit)


def test_the_fingerprint_is_that_of_all_that_determines_the_answers(tmp_path: Path) -> None:
    name = saved(tmp_path / "a")
    first = load(name).fingerprint
    shutil.copytree(tmp_path / "a", tmp_path / "copy")
    assert load(f"hf:{tmp_path / 'copy'}").fingerprint == first
    assert load(f"{name}#roadwork").fingerprint == first
    found = {first, load(f"{name}#none").fingerprint}
    found.add(load(saved(tmp_path / "other-weights", seed=1)).fingerprint)
    edit(f"hf:{tmp_path / 'copy'}", layer_norm_eps=0.1)
    found.add(load(f"hf:{tmp_path / 'copy'}").fingerprint)
    processor: Any = transformers.ViTImageProcessor(size={"height": 32, "width": 32}, resample=0)
    processor.save_pretrained(tmp_path / "a")
    found.add(load(name).fingerprint)
    assert len(found) == 5


def test_a_choice_after_a_hash_is_taken_unless_the_folder_is_called_so(tmp_path: Path) -> None:
    name = saved(tmp_path / "model#1", labels=["LABEL_0", "LABEL_1"])
    images = pictures(2)
    assert "0 = 'LABEL_0', 1 = 'LABEL_1'" in refusal(name)
    both = answers(load(f"{name}#LABEL_0"), images) + answers(load(f"{name}#1"), images)
    np.testing.assert_allclose(both, 1)


def test_a_hub_name_out_of_reach_is_one_line_and_a_cached_one_is_loaded(
    vit: str, tmp_path: Path
) -> None:
    assert "in its cache" in refusal("hf:some-one/some-model#1")
    repository = tmp_path / "hub" / "models--some-one--some-model"
    shutil.copytree(folder_of(vit), repository / "snapshots" / ("0" * 40))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    model = load("hf:some-one/some-model")
    assert isinstance(model, HuggingFaceModel)
    assert model.name == "hf:some-one/some-model"
    assert model.fingerprint == load(vit).fingerprint


def test_only_json_and_safetensors_are_fetched(
    vit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def fetch(name: str, *, allow_patterns: list[str]) -> str:
        asked.append((name, allow_patterns))
        return str(folder_of(vit))

    monkeypatch.setattr("replay.candidates.huggingface_files.snapshot_download", fetch)
    load("hf:some-one/some-model#Roadwork")
    [(name, patterns)] = asked
    assert name == "some-one/some-model"
    assert all(one.endswith((".json", ".safetensors")) for one in patterns)
