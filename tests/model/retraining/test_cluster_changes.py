"""Before and after by GPS cluster, held against scikit-learn on clusters known beforehand."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from sklearn.metrics import matthews_corrcoef

from analytics.comparison.bootstrap import image_repeats
from model.promotion_gate.evidence import Evidence
from model.promotion_gate.settings import GateSettings
from model.retraining.cluster_changes import ClusterChange, cluster_changes, shown_positions
from tests.model.promotion_gate.simulated_gates import GateWorld, a_gate

GATE = GateSettings(draws=100)
PLACES = {"denver": (39.7392, -104.9903), "boston": (42.3601, -71.0589), "elsewhere": (0.0, 0.0)}
NO_POSITION = "no position"


def located(images: NDArray[np.int32], seed: int) -> tuple[list[str], NDArray[np.float64]]:
    """By source image the place of each challenge, and its position near there."""
    names = [("denver", "denver", "denver", "boston", NO_POSITION)[image % 5] for image in images]
    rng = np.random.default_rng(seed)
    scatter = rng.normal(0, 0.02, (int(images.max()) + 1, 2))
    positions = np.array([PLACES.get(name, (np.nan, np.nan)) for name in names]) + scatter[images]
    # a stray alone on the ocean
    positions[images == 0] = PLACES["elsewhere"]
    return [
        "elsewhere" if image == 0 else name for name, image in zip(names, images, strict=True)
    ], positions


def frame(positions: NDArray[np.float64]) -> pl.DataFrame:
    return shown_positions(
        [None if np.isnan(pair).any() else (pair[0], pair[1]) for pair in positions], 1
    )


@pytest.fixture(scope="module")
def gate() -> tuple[Evidence, list[str]]:
    evidence = a_gate(3, 2.6, GateWorld(images=200))
    places, positions = located(evidence.champion.images, 7)
    return replace(evidence, positions=positions), places


def test_each_clusters_mcc_is_scikit_learns(gate: tuple[Evidence, list[str]]) -> None:
    evidence, places = gate
    assert evidence.positions is not None
    more = np.concatenate([evidence.positions, evidence.positions[:30]])
    found = cluster_changes(evidence, frame(more), GATE)
    assert [part.name for part in found] == ["denver", "boston", "elsewhere", NO_POSITION]
    for part in found:
        members = np.array([place == part.name for place in places])
        labels, images = evidence.champion.labels[members], evidence.champion.images[members]
        assert (part.n, part.images) == (members.sum(), len(set(images)))
        assert part.left_out == sum(place == part.name for place in places[:30])
        before, after = (
            # it warns of a single label
            0.0
            if len(set(labels)) == 1
            else matthews_corrcoef(labels, side.probabilities[members] > 0.5)
            for side in (evidence.champion, evidence.challenger)
        )
        assert part.champion == pytest.approx(before)
        assert part.challenger == pytest.approx(after)
        assert part.difference == pytest.approx(after - before)
        assert (part.interval is None) == (part.images < 10)


def test_intervals_hold_for_all_places_at_once(gate: tuple[Evidence, list[str]]) -> None:
    evidence, places = gate
    assert evidence.positions is not None
    found = [
        one for one in cluster_changes(evidence, frame(evidence.positions), GATE) if one.interval
    ]
    drawn = np.array([differences(evidence, places, part) for part in found]).T
    errors, scale = np.abs(drawn - drawn.mean(axis=0)), drawn.std(axis=0, ddof=1)
    wide = np.quantile((errors / scale).max(axis=1), GATE.slice_level)
    assert len(found) == 3
    for part, spread in zip(found, scale, strict=True):
        assert part.interval is not None
        ends = part.difference - wide * spread, part.difference + wide * spread
        assert part.interval == pytest.approx(ends)


def differences(evidence: Evidence, places: list[str], part: ClusterChange) -> list[float]:
    """Of each draw of source images, as a correlation of labels and classes."""
    members = np.array([place == part.name for place in places])
    labels, images = evidence.champion.labels[members], evidence.champion.images[members]
    drawn = []
    for draw in range(GATE.draws):
        weights = image_repeats(evidence.champion.image_count, GATE.bootstrap, draw)[images]
        before, after = (
            correlation(labels, side.probabilities[members] > 0.5, weights)
            for side in (evidence.champion, evidence.challenger)
        )
        drawn.append(after - before)
    return drawn


def correlation(
    labels: NDArray[np.int8], classes: NDArray[np.bool_], weights: NDArray[np.uint8]
) -> float:
    """MCC is Pearson's correlation of two binary variables."""
    (own, shared), (_, other) = np.cov(labels, classes.astype(float), fweights=weights.astype(int))
    return float(shared / np.sqrt(own * other))


def test_where_no_place_is_known_all_is_one_line(gate: tuple[Evidence, list[str]]) -> None:
    evidence = replace(gate[0], positions=np.full((gate[0].champion.count, 2), np.nan))
    [whole] = cluster_changes(evidence, shown_positions([None] * 300, 1), GATE)
    assert (whole.name, whole.n) == (NO_POSITION, evidence.champion.count)
    assert whole.left_out == 300 - whole.n
    assert cluster_changes(replace(evidence, positions=None), shown_positions([], 1), GATE) == []


def test_rows_that_are_drawn_several_times_are_so_many_challenges() -> None:
    table = shown_positions([(1.0, 2.0), None], 3)
    assert table["latitude"].to_list() == [1.0] * 3 + [None] * 3
    assert table["longitude"].to_list() == [2.0] * 3 + [None] * 3
    assert table["challenge_id"].n_unique() == 6
