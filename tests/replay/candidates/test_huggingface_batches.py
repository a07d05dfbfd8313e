"""Images through a classifier several at a time: the same answers, but for their last bits."""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from typer.testing import CliRunner

from data.errors import RunError
from data.store import Store
from replay.candidates.huggingface import load_hugging_face
from replay.candidates.huggingface_passes import passes
from replay.candidates.predictor import Image, batch_size
from replay.candidates.registry import LoadSettings, load
from streetreplay import app
from tests.replay.candidates.huggingface_models import (
    CONVNEXT,
    RESNET,
    SWIN,
    VIT,
    folder_of,
    saved,
)
from tests.replay.candidates.loaded_candidates import answers, pictures
from tests.worlds.stores import LEVEL_0, World, encoded, picture, write_shard

MODELS = {"vit": (VIT, 50), "resnet": (RESNET, 3), "convnext": (CONVNEXT, 50), "swin": (SWIN, 50)}
"""Of each architecture a small configuration, and what its random head is multiplied by."""


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    config, head_scale = MODELS[request.param]
    folder = tmp_path_factory.mktemp("models") / request.param
    return saved(folder, config, head_scale=head_scale)


def of_several_sizes() -> list[Image]:
    images = [*pictures(9), *pictures(6, (224, 224)), *pictures(4, (33, 21)), *pictures(2, (90, 7))]
    order = np.random.default_rng(4).permutation(len(images))
    return [images[k] for k in order]


@pytest.mark.parametrize("size", [2, 8, 32])
def test_answers_are_those_of_one_image_a_pass(model: str, size: int) -> None:
    images = of_several_sizes()
    expected = answers(load(model), images)
    assert np.ptp(expected) > 0.001
    found = answers(load_hugging_face(model, size), images)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert answers(load_hugging_face(model, size), []).shape == (0,)


def test_answers_do_not_depend_on_how_they_are_asked_for(model: str) -> None:
    images, candidate = of_several_sizes(), load_hugging_face(model, 8)
    together = answers(candidate, images)
    for cuts in ((0, 1, 21), (0, 8, 13, 14, 21)):
        parts = [answers(candidate, images[start:end]) for start, end in pairwise(cuts)]
        np.testing.assert_allclose(np.concatenate(parts), together, rtol=0, atol=1e-6)
    backwards = answers(candidate, images[::-1])[::-1]
    np.testing.assert_allclose(backwards, together, rtol=0, atol=1e-6)


def test_images_that_are_not_resized_go_with_those_of_their_size(tmp_path: Path) -> None:
    name = saved(tmp_path / "model", CONVNEXT)
    processor: Any = transformers.ViTImageProcessor(do_resize=False)
    processor.save_pretrained(folder_of(name))
    images = [
        picture
        for both in zip(pictures(5, (40, 56)), pictures(5, (64, 64)), strict=True)
        for picture in both
    ]
    found = answers(load_hugging_face(name, 3), images)
    np.testing.assert_allclose(found, answers(load(name), images), rtol=0, atol=1e-5)


def prepared(shapes: Sequence[tuple[int, ...]]) -> Iterator[dict[str, torch.Tensor]]:
    for place, shape in enumerate(shapes):
        yield {"pixel_values": torch.full((1, *shape), float(place)), "more": torch.zeros(1)}


def test_every_pass_is_full_and_of_one_shape() -> None:
    small, large = (3, 4, 4), (3, 5, 5)
    made = list(passes(prepared([small, large, small, small, large, small]), 3))
    assert [list(each.places) for each in made] == [[0, 2, 3], [1, 4], [5]]
    assert [tuple(each.tensors["pixel_values"].shape) for each in made] == [
        (3, *small),
        (3, *large),
        (3, *small),
    ]
    assert made[1].tensors["pixel_values"][:, 0, 0, 0].tolist() == [1, 4, 4]
    assert made[2].tensors["more"].shape == (3,)


def test_a_pass_begins_as_soon_as_it_is_full() -> None:
    asked = prepared([(1,)] * 5)
    first = next(passes(asked, 2))
    assert list(first.places) == [0, 1]
    assert len(list(asked)) == 3


def test_the_batch_size_is_part_of_the_candidate(one_vit: str) -> None:
    plain, alone, four, eight = (
        load(one_vit),
        *(load(one_vit, LoadSettings(batch_size=size)) for size in (1, 4, 8)),
    )
    assert (plain.name, plain.fingerprint) == (alone.name, alone.fingerprint)
    assert four.name == f"{one_vit} in batches of 4"
    assert len({each.fingerprint for each in (plain, four, eight)}) == 3
    assert [batch_size(each) for each in (plain, four, eight)] == [1, 4, 8]


@pytest.mark.parametrize("size", [1, 16])
def test_memory_that_runs_out_is_one_line(
    one_vit: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = load_hugging_face(one_vit, size)

    def runs_out(**_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 20 GiB.")

    monkeypatch.setattr(candidate.model, "forward", runs_out)
    with pytest.raises(RunError) as raised:
        answers(candidate, pictures(3))
    said = str(raised.value)
    assert "\n" not in said
    assert f"{size} image" in said
    assert "found out of memory on cpu" in said
    assert ("smaller --batch-size" in said) == (size > 1)


def test_an_error_that_is_no_want_of_memory_stays_what_it_is(
    one_vit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = load_hugging_face(one_vit, 2)

    def fails(**_: Any) -> Any:
        raise RuntimeError("a bug")

    monkeypatch.setattr(candidate.model, "forward", fails)
    with pytest.raises(RuntimeError, match="a bug"):
        answers(candidate, pictures(1))


def test_a_run_says_its_batch_size(store: Store, record: dict[str, Any], one_vit: str) -> None:
    world = World(store, record)
    write_shard(store.sources, [encoded(picture((320, 240)))])
    world.ask(0, **LEVEL_0)
    world.ingest()
    runs = {}
    for size in (1, 2):
        words = ["replay", "--model", one_vit, "--store", str(store.root), "--json"]
        result = CliRunner().invoke(app, [*words, "--batch-size", str(size)])
        assert result.exit_code == 0, result.output
        report = json.loads(result.stdout)
        runs[size] = report["run_id"]
        assert report["model"] == (f"{one_vit} in batches of 2" if size == 2 else one_vit)
        described = json.loads((store.runs / report["run_id"] / "run.json").read_text())
        assert described["model"] == report["model"]
        assert described["made_by"]["asked"]["batch_size"] == size
    assert runs[1] != runs[2]


@pytest.mark.parametrize("name", ["orange", "./checkpoint", "mine:Candidate"])
def test_a_candidate_that_chooses_its_own_batches_is_given_no_size(name: str) -> None:
    with pytest.raises(RunError, match=r"--batch-size: found .*expected hf:NAME_OR_DIR; leave out"):
        load(name, LoadSettings(batch_size=4))
