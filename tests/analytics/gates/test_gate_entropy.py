"""The entropy of shares over the log against SciPy's, challenge by challenge."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analytics.gates.block_sums import stage_gates
from analytics.gates.gate_entropy import EntropyBin, gate_entropy
from analytics.warehouse.connection import reading, writing
from data.store import Store
from tests.worlds.gated_replays import GATED_REPLAYS, SHARES_OF_GATES


def entropies() -> np.ndarray:
    i = np.arange(58)
    first = np.where(i % 3 == 0, 0.8, 0.3) + 0.01 * (i % 20) / 20
    gates = np.stack([first, np.where(i % 4 == 0, 0, 0.5), np.full(58, 0.4)], axis=1)
    found: np.ndarray = stats.entropy(gates, base=2, axis=1)
    return found


def binned(tmp_path: Path, change: str = "", label: int | None = None) -> list[EntropyBin]:
    store = Store(tmp_path / "store")
    with writing(store) as writer:
        writer.connection.execute(GATED_REPLAYS + SHARES_OF_GATES + change)
    with reading(store) as connection:
        stage_gates(connection, "gated")
        return gate_entropy(connection, "gated", label)


def test_without_times_bins_follow_the_log(tmp_path: Path) -> None:
    bins = binned(tmp_path)
    assert len(bins) == 58
    assert [one.challenges for one in bins] == [1] * 58
    assert [one.entropy for one in bins] == pytest.approx(entropies().tolist())
    assert {one.first_time for one in bins} == {None}
    assert {one.interval for one in bins} == {None}


def test_by_time_and_of_one_label(tmp_path: Path) -> None:
    """Two clumps in time, and challenges without one, which are left out."""
    clumps = """
    UPDATE media SET "time" = TIMESTAMP '2026-01-01' + INTERVAL (position // 20) DAY
    WHERE position < 40;
    """
    bins = binned(tmp_path, clumps, label=1)
    assert [(one.number, one.challenges, one.images) for one in bins] == [(0, 10, 10), (59, 10, 10)]
    own = entropies()
    assert bins[0].entropy == pytest.approx(own[1:20:2].mean())
    assert bins[1].entropy == pytest.approx(own[21:40:2].mean())
    # an image each: Student's interval of a mean
    low, high = stats.t.interval(0.95, 9, own[1:20:2].mean(), stats.sem(own[1:20:2]))
    assert bins[0].interval == pytest.approx((low, high))


def test_a_single_moment_is_one_bin(tmp_path: Path) -> None:
    (only,) = binned(tmp_path, "UPDATE media SET \"time\" = TIMESTAMP '2026-01-01';")
    assert (only.number, only.challenges, only.images) == (0, 58, 20)
    assert only.entropy == pytest.approx(entropies().mean())
