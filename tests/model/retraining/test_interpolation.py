"""A challenger between the champion and what was trained on from it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from data.digests import file_digest
from data.errors import RunError
from data.store import Store
from model.champion.champion import earlier_champion
from model.checkpoint.card import WEIGHTS, read_card
from model.checkpoint.predictor import load_predictor
from model.retraining.interpolation import between, save_interpolated
from model.retraining.retrain_folder import retrainings
from model.training.base_checkpoint import load_base
from replay.candidates.predictor import TRAINING_ROWS
from tests.model.retraining.coloured_world import present

SHARE = 0.75
"""The default."""


def weights(folder: Path) -> dict[str, np.ndarray]:
    return load_file(folder / WEIGHTS)


def folders(store: Store) -> tuple[Path, Path, Path]:
    """Of the champion that was beaten, what was trained on from it, and the challenger."""
    beaten = earlier_champion(store, present(store).entry)
    assert beaten is not None
    [folder] = retrainings(store)
    return beaten.folder, folder.trained, folder.checkpoint


def test_every_weight_of_the_challenger_is_on_the_way(retrained: tuple[Store, str]) -> None:
    start, end, found = map(weights, folders(retrained[0]))
    assert start.keys() == end.keys() == found.keys()
    moved = 0
    for name, tensor in found.items():
        if tensor.dtype.kind != "f":
            assert np.array_equal(tensor, end[name])
            continue
        expected = start[name].astype(float) + SHARE * (end[name].astype(float) - start[name])
        assert np.allclose(tensor, expected, rtol=1e-6, atol=1e-9)
        moved += not np.array_equal(start[name], end[name])
    assert moved > 10


def test_its_card_says_what_it_is_made_of_and_claims_no_validation(
    retrained: tuple[Store, str],
) -> None:
    champion, trained, challenger = folders(retrained[0])
    card, of_trained = read_card(challenger).training, read_card(trained).training
    assert card["interpolation"] == {
        "share": SHARE,
        "champion": file_digest(champion / WEIGHTS),
        "trained": file_digest(trained / WEIGHTS),
    }
    assert "epoch" not in card
    assert "epoch" in of_trained
    assert card["initial_checkpoint"]["sha256"] == file_digest(champion / WEIGHTS)
    assert card["backbone"]["weights"] == of_trained["backbone"]["weights"]
    assert file_digest(challenger / TRAINING_ROWS) == file_digest(trained / TRAINING_ROWS)
    # its backbone's fingerprint is its own
    assert load_predictor(challenger, retrained[0]).name


def test_all_the_way_is_the_trained_model(retrained: tuple[Store, str], tmp_path: Path) -> None:
    champion, trained, _ = folders(retrained[0])
    save_interpolated(load_base(champion), trained, tmp_path / "out", 1.0)
    found, expected = weights(tmp_path / "out"), weights(trained)
    assert all(np.array_equal(found[name], tensor) for name, tensor in expected.items())


def test_weights_of_another_model_are_refused() -> None:
    with pytest.raises(RunError, match="weights to interpolate"):
        between({"a": torch.zeros(2)}, {"a": torch.zeros(3)}, SHARE)
