from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch.utils.data import RandomSampler, WeightedRandomSampler

from data.errors import RunError
from model.datasets.batch import RowDraw
from model.datasets.samplers import (
    BatchSettings,
    EpochSampler,
    SceneSampler,
    TrainingBatches,
    WeightedSceneSampler,
)

Epoch = list[list[RowDraw]]
Make = Callable[[torch.Tensor, int], EpochSampler]


def epoch_of(
    scenes: torch.Tensor,
    settings: BatchSettings,
    epoch: int = 1,
    seed: int = 0,
    make: Make = SceneSampler,
) -> Epoch:
    """The batches of an epoch, each as the processes see it together."""
    shares = []
    for process in range(settings.processes):
        own = BatchSettings(
            settings.size,
            settings.accumulation,
            settings.kept_draws,
            settings.processes,
            process,
        )
        batches = TrainingBatches(make(scenes, seed), scenes, own, seed)
        batches.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        batches.set_epoch(epoch)
        shares.append(list(batches))
        assert len(shares[-1]) == len(batches)
    return [[draw for share in parts for draw in share] for parts in zip(*shares, strict=True)]


scene_lists = st.lists(st.integers(0, 12), min_size=1, max_size=60)


@given(
    scenes=scene_lists,
    size=st.integers(1, 70),
    accumulation=st.integers(1, 4),
    processes=st.integers(1, 4),
    kept=st.none() | st.integers(1, 3),
    epoch=st.integers(1, 4),
)
def test_every_row_comes_once_and_no_batch_or_share_of_one_is_empty(
    scenes: list[int], size: int, accumulation: int, processes: int, kept: int | None, epoch: int
) -> None:
    numbers = torch.tensor(scenes)
    settings = BatchSettings(size, accumulation, kept, processes)
    if len(scenes) < processes:
        with pytest.raises(RunError, match="a row at least for each"):
            epoch_of(numbers, settings)
        return
    batches = epoch_of(numbers, settings, epoch)
    rows = [draw.row for batch in batches for draw in batch]
    assert sorted(rows) == list(range(len(scenes)))
    assert min(map(len, batches)) >= processes
    # whole steps of the optimiser, where there are rows enough for them
    steps = -(-len(scenes) // (size * accumulation))
    assert len(batches) == min(steps * accumulation, len(scenes) // processes)
    one = BatchSettings(size, accumulation, kept)
    if len(scenes) // len(batches) >= 2 * processes:
        assert [set(batch) for batch in epoch_of(numbers, one, epoch)] == [
            set(batch) for batch in batches
        ]


@given(scenes=scene_lists, kept=st.none() | st.integers(1, 3), epoch=st.integers(1, 9))
def test_rows_of_one_scene_are_drawn_alike(scenes: list[int], kept: int | None, epoch: int) -> None:
    draws = {
        draw.row: draw
        for batch in epoch_of(torch.tensor(scenes), BatchSettings(5, 1, kept), epoch)
        for draw in batch
    }
    for row, scene in enumerate(scenes):
        first = scenes.index(scene)
        assert draws[row].draw == draws[first].draw
        assert draws[row].epoch == epoch
        assert draws[row].draw == epoch if kept is None else draws[row].draw < kept


def test_pairs_stay_in_one_batch() -> None:
    scenes = torch.arange(70) // 2
    for batch in epoch_of(scenes, BatchSettings(16)):
        assert set(Counter(draw.row // 2 for draw in batch).values()) == {2}


def test_one_row_a_batch_parts_pairs_and_leaves_no_batch_empty() -> None:
    batches = epoch_of(torch.arange(10) // 2, BatchSettings(1))
    assert [len(batch) for batch in batches] == [1] * 10


def test_batches_are_of_nearly_equal_size() -> None:
    sizes = [len(batch) for batch in epoch_of(torch.arange(70), BatchSettings(32))]
    assert sizes == [23, 23, 24]


def test_orders_differ_by_epoch_and_seed_and_are_the_same_again() -> None:
    scenes = torch.arange(50)
    orders = [
        [draw.row for batch in epoch_of(scenes, BatchSettings(8), epoch, seed) for draw in batch]
        for epoch, seed in ((1, 0), (2, 0), (1, 1), (1, 0))
    ]
    assert orders[0] == orders[3]
    assert orders[0] != orders[1] != orders[2] != orders[0]


def test_an_epoch_may_begin_in_its_middle() -> None:
    scenes = torch.arange(50)
    batches = TrainingBatches(SceneSampler(scenes, 0), scenes, BatchSettings(8), 0)
    whole = list(batches)
    batches.skipped = 3
    assert list(batches) == whole[3:]


def test_kept_draws_are_all_used() -> None:
    scenes = torch.zeros(1, dtype=torch.int64)
    used = {epoch_of(scenes, BatchSettings(1, 1, 3), epoch)[0][0].draw for epoch in range(1, 30)}
    assert used == {0, 1, 2}


@pytest.mark.parametrize("kept", [None, 4])
def test_any_sampler_of_rows_fits_and_a_row_that_comes_again_is_drawn_anew(
    kept: int | None,
) -> None:
    scenes = torch.arange(6)
    weighted = WeightedRandomSampler([1.0, 0, 0, 0, 0, 1.0], 8)
    for sampler in (weighted, RandomSampler(range(6))):
        batches = list(TrainingBatches(sampler, scenes, BatchSettings(4, 1, kept), 0))
        draws = [draw for batch in batches for draw in batch]
        assert len(draws) == len(sampler)
        if sampler is weighted:
            assert {draw.row for draw in draws} <= {0, 5}
        by_row = Counter((draw.row, draw.draw) for draw in draws)
        repeats = Counter(draw.row for draw in draws)
        assert max(by_row.values()) <= (1 if kept is None else -(-max(repeats.values()) // kept))


def weighted(weights: list[float]) -> Make:
    return lambda scenes, seed: WeightedSceneSampler(scenes, np.array(weights), seed)


def draws_of(sampler: EpochSampler, epochs: int) -> Counter[int]:
    """How often each row comes in so many epochs."""
    seen: Counter[int] = Counter()
    for epoch in range(1, epochs + 1):
        sampler.set_epoch(epoch)
        drawn = list(sampler)
        assert len(drawn) == len(sampler)
        seen.update(drawn)
    return seen


def test_rows_are_drawn_in_proportion_to_their_weights() -> None:
    """By a chi-squared test; that of equal weights is refused."""
    weights = [0.0, 1.0, 2.0, 5.0, 0.5, 0.0, 1.5]
    seen = draws_of(WeightedSceneSampler(torch.arange(7), np.array(weights), 0), 3000)
    assert seen.keys() == {1, 2, 3, 4, 6}
    counts = np.array([seen[row] for row in (1, 2, 3, 4, 6)])
    expected = np.array([1.0, 2.0, 5.0, 0.5, 1.5]) / 10 * counts.sum()
    assert stats.chisquare(counts, expected).pvalue > 0.01
    assert stats.chisquare(counts).pvalue < 1e-9


def test_pairs_are_drawn_together_by_their_mean_weight() -> None:
    scenes, weights = torch.tensor([0, 1, 0, 1, 2]), [4.0, 0.5, 0.0, 1.5, 1.0]
    sampler = WeightedSceneSampler(scenes, np.array(weights), 3)
    for epoch in range(1, 50):
        sampler.set_epoch(epoch)
        drawn = list(sampler)
        # only the epoch's end may part a pair
        at = 0
        while at < len(drawn) - 1:
            pair = {0: [0, 2], 1: [1, 3], 4: [4]}[drawn[at]]
            assert drawn[at : at + len(pair)] == pair
            at += len(pair)
    # the last, cut scene is the less of it the longer the epoch
    many = torch.arange(2000) // 2
    heavy = np.where(np.arange(2000) % 2 == 0, np.where(np.arange(2000) < 500, 6.0, 2.0), 0.0)
    seen = draws_of(WeightedSceneSampler(many, heavy, 0), 50)
    share = sum(n for row, n in seen.items() if row < 500) / seen.total()
    assert share == pytest.approx(0.5, abs=0.01)


@given(
    scenes=scene_lists,
    size=st.integers(1, 40),
    processes=st.integers(1, 4),
    kept=st.none() | st.integers(1, 3),
    seed=st.integers(0, 5),
    data=st.data(),
)
def test_weighted_batches_are_the_same_for_any_number_of_processes(
    scenes: list[int], size: int, processes: int, kept: int | None, seed: int, data: st.DataObject
) -> None:
    weight = st.sampled_from([0.0, 0.3, 1.0, 8.0])
    weights = data.draw(st.lists(weight, min_size=len(scenes), max_size=len(scenes)))
    weights[-1] += 0.1
    numbers = torch.tensor(scenes)
    settings = BatchSettings(size, 1, kept, processes)
    if len(scenes) < processes:
        return
    batches = epoch_of(numbers, settings, 2, seed, weighted(weights))
    rows = [draw.row for batch in batches for draw in batch]
    assert len(rows) == len(scenes)
    totals = dict.fromkeys(scenes, 0.0)
    for scene, own in zip(scenes, weights, strict=True):
        totals[scene] += own
    assert all(totals[scenes[row]] > 0 for row in rows)
    if len(scenes) // len(batches) >= 2 * processes:
        one = epoch_of(numbers, BatchSettings(size, 1, kept), 2, seed, weighted(weights))
        assert [Counter(batch) for batch in one] == [Counter(batch) for batch in batches]


def test_a_weighted_epoch_may_begin_in_its_middle_and_each_is_another() -> None:
    scenes, weights = torch.arange(50), np.linspace(0, 2, 50)
    batches = TrainingBatches(WeightedSceneSampler(scenes, weights, 0), scenes, BatchSettings(8), 0)
    whole = list(batches)
    batches.skipped = 3
    assert list(batches) == whole[3:]
    orders = [
        epoch_of(scenes, BatchSettings(8), epoch, seed, weighted(weights.tolist()))
        for epoch, seed in ((1, 0), (2, 0), (1, 1), (1, 0))
    ]
    assert orders[0] == orders[3]
    assert orders[0] != orders[1] != orders[2] != orders[0]


def test_no_weight_above_0_is_one_line() -> None:
    with pytest.raises(RunError, match="sample weights: found none above 0 among the 3 rows"):
        WeightedSceneSampler(torch.arange(3), np.zeros(3), 0)
