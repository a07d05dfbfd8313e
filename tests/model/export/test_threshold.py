from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.comparison.bootstrap import BootstrapSettings
from analytics.warehouse.connection import reading
from data.errors import RunError, StoreError
from data.store import Store
from model.checkpoint.predictor import load_predictor
from model.export.export import ExportReport, ExportSettings, export
from model.export.predictor import load_export
from model.export.threshold import Threshold, ThresholdRequest, chosen_threshold, threshold_of
from replay.candidates.predictor import Batch
from replay.comparing.results import Comparison
from replay.comparing.with_miners import CompareSettings, compare_with_miners
from tests.model.export.golden_replays import GoldenReplays, golden_pixels

FEW_DRAWS = CompareSettings(BootstrapSettings(draws=100))


def fingerprints(world: GoldenReplays) -> set[str]:
    return {load_predictor(world.checkpoint).fingerprint}


def chosen(world: GoldenReplays, request: ThresholdRequest = ThresholdRequest()) -> Threshold:
    return chosen_threshold(world.store, fingerprints(world), request, FEW_DRAWS)


@pytest.fixture(scope="module")
def comparison(golden_replays: GoldenReplays) -> Comparison:
    """What `compare` says of the checkpoint's run."""
    with reading(golden_replays.store) as connection:
        return compare_with_miners(connection, golden_replays.checkpoint_run, FEW_DRAWS)


def with_difference(comparison: Comparison, difference: float) -> Comparison:
    assert comparison.shift is not None
    return replace(comparison, shift=replace(comparison.shift, shift=-0.7, difference=difference))


def test_the_newest_replay_of_the_checkpoint_is_taken(
    golden_replays: GoldenReplays, comparison: Comparison
) -> None:
    by_default = chosen(golden_replays)
    named = chosen(golden_replays, ThresholdRequest(golden_replays.checkpoint_run))

    assert by_default == named
    assert by_default.fitted == comparison.shift
    assert by_default.comparison is not None
    assert by_default.comparison.run_id == golden_replays.checkpoint_run
    assert by_default.comparison.candidate == comparison.candidate
    assert by_default == threshold_of(by_default.comparison)


@pytest.mark.parametrize("difference", [0.2, 0.0])
def test_a_threshold_that_does_not_lose_is_taken(difference: float, comparison: Comparison) -> None:
    threshold = threshold_of(with_difference(comparison, difference))
    assert threshold.shift == -0.7
    assert f"difference {difference:+.3f}" in threshold.why


def test_a_threshold_that_lost_reward_later_is_left_out_and_shown(comparison: Comparison) -> None:
    threshold = threshold_of(with_difference(comparison, -0.01))
    assert threshold.shift == 0
    assert "(-0.700) is left out" in threshold.why
    assert "difference -0.010" in threshold.why
    assert threshold.as_json()["fitted"]["shift"] == -0.7


def test_without_parts_in_time_there_is_no_threshold(comparison: Comparison) -> None:
    threshold = threshold_of(replace(comparison, shift=None))
    assert (threshold.shift, threshold.fitted) == (0, None)
    assert "is empty" in threshold.why


def test_another_candidates_run_is_refused(golden_replays: GoldenReplays) -> None:
    with pytest.raises(RunError, match=r"--threshold-from .* another candidate; expected an image"):
        chosen(golden_replays, ThresholdRequest(golden_replays.export_run))
    with pytest.raises(RunError, match=r"--threshold-from nothing: found no finished replay"):
        chosen(golden_replays, ThresholdRequest("nothing"))


def test_a_store_without_such_a_run_gives_none(golden_replays: GoldenReplays, store: Store) -> None:
    other = chosen_threshold(golden_replays.store, {"other"}, ThresholdRequest(), FEW_DRAWS)
    assert (other.shift, other.comparison) == (0, None)
    empty = chosen_threshold(store, {"other"}, ThresholdRequest(), FEW_DRAWS)
    assert empty == other
    with pytest.raises(StoreError, match="no warehouse"):
        chosen_threshold(store, {"other"}, ThresholdRequest("latest"), FEW_DRAWS)


@dataclass(frozen=True)
class Halved:
    """An export with a threshold that was moved, and where the checkpoint's half is then."""

    report: ExportReport
    limit: float


@pytest.fixture(scope="module")
def halved(golden_replays: GoldenReplays, tmp_path_factory: pytest.TempPathFactory) -> Halved:
    """All is as chosen, but the shift: the median answer becomes the export's half."""
    pictures = golden_pixels()
    checkpoint = load_predictor(golden_replays.checkpoint)
    answers = checkpoint.predict(Batch([""] * len(pictures), pictures)).probability
    limit = float(np.median(answers))

    def moved(*asked: Any) -> Threshold:
        return replace(chosen_threshold(*asked), shift=float(np.log((1 - limit) / limit)))

    out, settings = tmp_path_factory.mktemp("halved") / "out", ExportSettings(compare=FEW_DRAWS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("model.export.export.chosen_threshold", moved)
        report = export(golden_replays.store, golden_replays.checkpoint, out, settings)
    return Halved(report, limit)


def test_the_exports_half_is_where_the_threshold_was(
    golden_replays: GoldenReplays, halved: Halved
) -> None:
    """Also after rounding, as a validator does."""
    pictures = golden_pixels()
    batch = Batch([""] * len(pictures), pictures)
    plain = load_predictor(golden_replays.checkpoint).predict(batch).probability
    answers = load_export(Path(halved.report.out)).predict(batch).probability

    apart = np.abs(plain - halved.limit) > 1e-3
    assert apart.sum() > 0.8 * len(pictures) > 10
    np.testing.assert_array_equal(np.round(answers[apart]) == 1, plain[apart] > halved.limit)
    assert 0 < np.round(answers).sum() < len(pictures)


def test_the_card_has_compares_numbers(
    golden_replays: GoldenReplays, comparison: Comparison, halved: Halved
) -> None:
    compared = halved.report.card.comparison
    assert compared is not None
    assert compared["run_id"] == golden_replays.checkpoint_run
    assert compared["mcc"] == comparison.candidate.mcc
    assert compared["n"] == comparison.candidate.n
    text = (Path(halved.report.out) / "README.md").read_text()
    rank = comparison.ranks["mcc"]
    assert f"MCC {comparison.candidate.mcc:.3f}" in text
    assert f"n = {comparison.candidate.n} of" in text
    assert f"{rank.rank} of {rank.of}" in text
    assert "Not checked whether it was trained on these challenges" in text
