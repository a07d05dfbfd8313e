"""Models that are damaged, hostile or no classifiers are refused, and nothing of them is run."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from replay.candidates.registry import load
from tests.replay.candidates.huggingface_models import edit, folder_of
from tests.replay.candidates.loaded_candidates import refusal


def test_pickled_weights_are_refused_and_never_opened(vit: str, tmp_path: Path) -> None:
    marker = tmp_path / "executed"

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (marker,))

    bomb = pickle.dumps({"classifier.weight": Bomb()})
    folder = folder_of(vit)
    for file in ("pytorch_model.bin", "adapter_model.bin", "training_args.bin"):
        (folder / file).write_bytes(bomb)
    edit(vit, transformers_weights="adapter_model.bin")
    load(vit)
    (folder / "model.safetensors").unlink()
    assert "found adapter_model.bin, pytorch_model.bin" in refusal(vit)
    (folder / "model.safetensors").write_bytes(bomb)
    assert "weights of" in refusal(vit)
    assert not marker.exists()
    pickle.loads(bomb)  # noqa: S301
    assert marker.exists()


@pytest.mark.parametrize("keep", [0, 7, 200, -5])
def test_damaged_weights_are_refused(vit: str, keep: int) -> None:
    file = folder_of(vit) / "model.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    assert refusal(vit).startswith(f"weights of {vit}: found SafetensorError")


def test_a_model_without_its_head_or_of_another_shape_is_refused(vit: str) -> None:
    file = folder_of(vit) / "model.safetensors"
    tensors = load_file(file)
    save_file({k: v for k, v in tensors.items() if not k.startswith("classifier")}, file)
    assert "found none for classifier.bias, classifier.weight" in refusal(vit)
    save_file(tensors | {"classifier.weight": torch.zeros(3, 16)}, file)
    assert refusal(vit).startswith(f"weights of {vit}")


@pytest.mark.parametrize("file", ["config.json", "preprocessor_config.json"])
@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"model_type": "x"}'])
def test_missing_or_damaged_settings_are_refused(vit: str, file: str, text: str | None) -> None:
    path = folder_of(vit) / file
    path.unlink()
    if text is not None:
        path.write_text(text, encoding="utf-8")
    if (file, text) != ("preprocessor_config.json", '{"model_type": "x"}'):
        assert vit in refusal(vit)
    if text is None:
        assert file in refusal(vit)


def test_what_would_fetch_or_run_something_else_is_refused(vit: str) -> None:
    for key in ("quantization_config", "attn_implementation", "use_pretrained_backbone"):
        edit(vit, **{key: {"quant_method": "x"}})
        assert f"found {key}" in refusal(vit)
        edit(vit, **{key: None})
    (folder_of(vit) / "adapter_config.json").write_text("{}")
    assert "found an adapter" in refusal(vit)


def test_code_that_comes_with_a_model_is_never_run(vit: str, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    source = f"import pathlib\npathlib.Path({str(marker)!r}).touch()\nclass Evil: pass\n"
    (folder_of(vit) / "evil.py").write_text(source)
    names = ("AutoConfig", "AutoModelForImageClassification", "AutoImageProcessor")
    edit(vit, auto_map=dict.fromkeys(names, "evil.Evil"))
    load(vit)
    edit(vit, model_type="evil")
    assert f"config.json of {vit}: found ValueError" in refusal(vit)
    assert not marker.exists()


def test_models_that_are_no_classifier_or_do_not_fit_are_refused(vit: str) -> None:
    edit(vit, problem_type="regression")
    assert "found problem_type regression" in refusal(vit)
    edit(vit, problem_type=None, model_type="bert")
    assert "found model type bert" in refusal(vit)
    edit(vit, model_type="vit")
    processor: Any = transformers.ViTImageProcessor(size={"height": 40, "width": 40})
    processor.save_pretrained(folder_of(vit))
    assert "doesn't match model" in refusal(vit)


@pytest.mark.parametrize("place", ["/no/such/folder", "./no", "", "a/b/c", "~nobody", "../x#1"])
def test_a_missing_folder_is_never_looked_for_on_the_hub(place: str) -> None:
    assert "found no such folder" in refusal(f"hf:{place}")
