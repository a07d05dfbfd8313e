"""Clone groups: planted ones are found, independent miners are not; chance against a shuffle."""

from itertools import combinations

import numpy as np
import pytest
from scipy import sparse, stats

from analytics.comparison.multiple_tests import holm
from analytics.miners.answers import Miner, MinerAnswers
from analytics.miners.clones import (
    ClonePair,
    CloneSettings,
    clone_groups,
    connected_groups,
    pair_ties,
)
from tests.analytics.miners.simulated_miners import as_answers, asked, speaking_world


def groups_of(answers: MinerAnswers) -> list[list[int]]:
    return [[miner.uid for miner in group.miners] for group in clone_groups(answers).groups]


@pytest.mark.parametrize("jitter", [0.0, 0.001, 0.002])
def test_copies_are_found_in_spite_of_jitter(jitter: float) -> None:
    found = clone_groups(speaking_world(1, copies=4, jitter=jitter, hard=8))

    [group] = found.groups
    assert [miner.uid for miner in group.miners] == [0, 1, 2, 3]
    assert all(pair.ties > pair.expected for pair in group.pairs)
    assert all(pair.interval[0] <= pair.excess <= pair.interval[1] for pair in group.pairs)
    assert all(pair.p_value <= found.settings.error for pair in group.pairs)


def test_copies_who_say_only_0_and_1_are_found_among_others_who_do() -> None:
    answers = speaking_world(2, challenges=30_000, hard=12, hard_copies=3)

    assert groups_of(answers) == [[57, 58, 59]]


def test_independent_miners_are_not_clones() -> None:
    """20 worlds of 1770 pairs; one false pair in all would be 20 times the promised error."""
    false = tested = 0
    for seed in range(20):
        found = clone_groups(speaking_world(100 + seed, hard=20))
        false += sum(len(group.pairs) for group in found.groups)
        tested += found.pairs_tested
    assert tested > 30_000
    assert false == 0


def test_miners_who_are_always_right_with_certainty_are_not_clones() -> None:
    rng = np.random.default_rng(3)
    challenge, miner = asked(rng, 3000, 30)
    labels = rng.integers(2, size=3000)

    assert groups_of(as_answers(challenge, miner, labels[challenge].astype(float), labels)) == []


def test_chance_is_how_often_ties_come_where_one_side_is_shuffled_within_a_kind() -> None:
    """Two miners, one kind of challenge (all right): chance against every cross pair, counted."""
    rng = np.random.default_rng(4)
    predictions = rng.choice([0.6, 0.605, 0.61, 0.7, 0.9], size=(200, 2))
    challenge, miner = np.repeat(np.arange(200), 2), np.tile([0, 1], 200)
    labels = np.ones(200, dtype=np.int64)

    found = pair_ties(as_answers(challenge, miner, predictions.ravel(), labels), tolerance=0.01)

    cross = np.abs(predictions[:, :1] - predictions[:, 1]) <= 0.01 + 1e-9
    same = np.abs(predictions[:, 0] - predictions[:, 1]) <= 0.01 + 1e-9
    assert found.shared[0, 1] == 200
    assert found.ties[0, 1] == same.sum()
    assert found.expected[0, 1] == pytest.approx(200 * cross.mean())


def test_answers_outside_0_and_1_and_too_few_shared_decide_nothing() -> None:
    rng = np.random.default_rng(5)
    challenge, miner = asked(rng, 300, 12)
    labels = rng.integers(2, size=300)
    outside = clone_groups(as_answers(challenge, miner, np.full(3000, 1.7), labels))
    few = clone_groups(as_answers(challenge[:100], miner[:100], rng.random(100), labels))

    assert (outside.pairs_tested, outside.pairs_left_out, outside.groups) == (0, 0, [])
    assert (few.pairs_tested, few.groups, few.excess_median) == (0, [], None)
    assert few.pairs_left_out > 0


def test_groups_are_the_connected_components_of_pairs_largest_first() -> None:
    rng = np.random.default_rng(7)
    miners = [Miner(uid, f"h{uid}") for uid in range(30)]
    every = np.array(list(combinations(range(30), 2)))
    for count in (0, 1, 8, 15, 40):
        first, second = every[np.sort(rng.choice(len(every), count, replace=False))].T
        pairs = [
            ClonePair(miners[a], miners[b], 9, 9, 0.0, 1.0, (0.5, 1.0), 0.0)
            for a, b in zip(first, second, strict=True)
        ]

        groups = connected_groups(miners, first, second, pairs)

        links = sparse.coo_array((np.ones(count), (first, second)), shape=(30, 30))
        _, component = sparse.csgraph.connected_components(links, directed=False)
        members = [np.flatnonzero(component == number) for number in np.unique(component[first])]
        members.sort(key=len, reverse=True)
        assert [[miner.uid for miner in group.miners] for group in groups] == [
            uids.tolist() for uids in members
        ]
        assert [group.pairs for group in groups] == [
            [pair for pair in pairs if pair.first.uid in uids] for uids in members
        ]


@pytest.mark.parametrize("changed", [{"tolerance": 0.0}, {"copied_share": 1.0}])
def test_settings_out_of_range_are_refused(changed: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(changed))):
        CloneSettings(**changed)  # type: ignore[arg-type]


def test_the_p_value_bounds_the_poisson_binomial_from_above() -> None:
    rng = np.random.default_rng(6)
    for _ in range(50):
        chances = rng.uniform(0.3, 1.0, 80)
        ties = int(np.ceil(chances.sum() + 1 + 5 * rng.random()))
        exact = stats.poisson_binom.sf(ties - 1, chances)
        assert stats.binom.sf(ties - 1, 80, chances.mean()) >= exact - 1e-12


def test_holm_is_the_step_down_of_the_paper() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([])).shape == (0,)
    assert holm(np.array([0.9, 0.8])) == pytest.approx([1.0, 1.0])
