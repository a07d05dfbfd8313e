"""The item-response model: known abilities are recovered, and its errors are what they say."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, special

from analytics.miners.item_response import ItemResponse, ItemResponseSettings, item_response
from analytics.miners.item_response_e_step import Answered, Nodes, expect
from analytics.scoring.metrics import Floats
from data.errors import QueryError
from tests.analytics.miners.simulated_miners import MinerWorld, as_answers, item_response_world


def by_uid(fitted: ItemResponse) -> tuple[Floats, Floats]:
    ordered = sorted(fitted.abilities, key=lambda one: one.miner.uid)
    return np.array([one.ability for one in ordered]), np.array([one.error for one in ordered])


def z_scores(world: MinerWorld) -> Floats:
    ability, error = by_uid(item_response(world.answers))
    found: Floats = (ability - world.ability) / error
    return found


def test_abilities_and_difficulties_are_recovered() -> None:
    world = item_response_world(1)
    fitted = item_response(world.answers)
    ability, _ = by_uid(fitted)

    assert fitted.converged
    assert np.corrcoef(ability, world.ability)[0, 1] > 0.98
    assert np.polyfit(world.ability, ability, 1)[0] == pytest.approx(1.0, abs=0.1)
    difficulty = fitted.challenges["difficulty"].to_numpy()
    assert np.corrcoef(difficulty, world.difficulty)[0, 1] > 0.5
    assert fitted.mean == pytest.approx(world.difficulty.mean(), abs=0.15)
    assert fitted.spread == pytest.approx(world.difficulty.std(), abs=0.15)
    assert ability.mean() == pytest.approx(0.0, abs=1e-9)


def test_standard_errors_of_abilities_are_calibrated() -> None:
    found = np.concatenate([z_scores(item_response_world(seed, 3000)) for seed in range(5)])

    assert 0.9 < found.std() < 1.12
    assert 0.92 < np.mean(np.abs(found) < 1.96) < 0.98


def test_posterior_errors_of_difficulties_are_calibrated() -> None:
    world = item_response_world(2)
    challenges = item_response(world.answers).challenges
    z = (challenges["difficulty"].to_numpy() - world.difficulty) / challenges["difficulty_error"]

    assert z.std() == pytest.approx(1.0, abs=0.08)
    assert abs(float(z.mean() or 0.0)) < 0.15


def test_repeated_images_widen_the_errors() -> None:
    """All miners see the same few images: their abilities on those say less of them on others."""
    world = item_response_world(3, images=150)
    apart = world.answers.challenges.with_columns(image=np.arange(6000))
    _, held_together = by_uid(item_response(world.answers))
    _, held_apart = by_uid(item_response(replace(world.answers, challenges=apart)))

    assert held_together.mean() > held_apart.mean()


def test_the_maximum_is_that_of_a_plain_marginal_likelihood() -> None:
    """A general optimiser on a float64 formula without any of our kernels finds the same."""
    world = item_response_world(4, challenges=300, miners=12)
    settings = ItemResponseSettings(tolerance=1e-7, iterations=3000)
    fitted = item_response(world.answers, settings)
    right = np.full((300, 12), np.nan)
    right[world.answers.challenge, world.answers.miner] = world.answers.right
    x, weight = np.polynomial.hermite_e.hermegauss(settings.difficulty_nodes)
    y, other = np.polynomial.hermite_e.hermegauss(settings.discrimination_nodes)
    weights = np.outer(weight / weight.sum(), other / other.sum())

    def loss(ability: Floats) -> float:
        difficulty = fitted.mean + fitted.spread * x[:, None, None]
        slope = np.exp(settings.discrimination_spread * y[None, :, None])
        logits = slope * (ability - difficulty)
        logs = np.where(right[:, None, None] == 1, special.log_expit(logits), 0)
        logs = logs + np.where(right[:, None, None] == 0, special.log_expit(-logits), 0)
        likelihood = (np.exp(logs.sum(axis=-1)) * weights).sum(axis=(1, 2))
        prior = (ability**2).sum() / (2 * settings.ability_spread**2)
        return float(prior - np.log(likelihood).sum())

    best = optimize.minimize(loss, np.zeros(12), method="L-BFGS-B")
    ability, _ = by_uid(fitted)
    assert ability == pytest.approx(best.x, abs=0.02)


def test_further_steps_raise_the_likelihood() -> None:
    world = item_response_world(5, challenges=500, miners=20)
    found = [
        item_response(world.answers, ItemResponseSettings(iterations=steps)).log_likelihood
        for steps in (1, 2, 4, 8, 16)
    ]
    assert found == sorted(found)


def test_expected_counts_add_up_to_the_answers() -> None:
    answered = Answered(
        starts=np.array([0, 2, 3]),
        miner=np.array([0, 1, 1]),
        right=np.array([1, 0, 1]),
        miners=2,
    )
    nodes = Nodes(np.array([-1.0, 0.5]), np.array([1.0, 2.0]), np.log([0.25, 0.75]))
    counts, mass, _ = expect(answered, np.array([0.3, -0.2]), nodes)

    assert counts.sum(axis=2) == pytest.approx(np.array([[0.0, 1.0], [1.0, 1.0]]))
    assert mass.sum() == pytest.approx(2.0)


def test_nobody_to_compare_or_nothing_to_learn_is_said_in_a_line() -> None:
    labels = np.array([0, 1, 1])
    alone = as_answers(np.arange(3), np.zeros(3, np.int64), np.array([0.1, 0.2, 0.9]), labels)
    miner = np.array([0, 0, 1])
    certain = as_answers(np.array([0, 1, 1]), miner, np.array([0.1, 0.9, 0.8]), labels)

    with pytest.raises(QueryError, match="found 1 miners"):
        item_response(alone)
    with pytest.raises(QueryError, match="3 right of 3 answers"):
        item_response(certain)


@pytest.mark.parametrize("name", ["ability_spread", "discrimination_spread", "spread_weight"])
def test_priors_out_of_range_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not above 0"):
        ItemResponseSettings(**{name: 0.0})  # type: ignore[arg-type]
