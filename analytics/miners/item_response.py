"""Abilities of miners and difficulties of challenges, by a two-parameter item-response model.

A miner of ability t answers a challenge rightly with probability 1 / (1 + exp(-a (t - b))), b its
difficulty and a its discrimination (the 2PL of Birnbaum 1968); all in logits. A challenge is asked
of about ten miners, far too few to fit its own two numbers, so it is drawn from a population,
b ~ N(mean, spread), log a ~ N(0, discrimination_spread), and integrated out by Gauss-Hermite
quadrature; abilities, the mean and the spread are fitted by EM (Bock and Aitkin 1981, with the
roles of persons and items exchanged). A challenge is reported by its posterior mean and
standard deviation: with ten answers it stays close to the population's.

Priors: t ~ N(0, ability_spread); the spread's square as if `spread_weight` challenges more had been
seen with a spread of 1; the mean has none.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.miners.answers import Indices, Miner, MinerAnswers
from analytics.miners.item_response_e_step import Answered, Nodes, expect, posterior_moments
from analytics.miners.item_response_errors import ability_errors
from analytics.scoring.metrics import Floats
from data.errors import QueryError

_NEWTON_STEPS = 3
_FEWEST_MINERS = 2


@dataclass(frozen=True)
class ItemResponseSettings:
    """Priors, in logits (see the module), quadrature, and when EM stops.

    `tolerance`: the largest change of an ability in one iteration, logits.

    Raises:
        ValueError: a spread is not above 0.
    """

    ability_spread: float = 2.0
    discrimination_spread: float = 0.3
    spread_weight: float = 10.0
    difficulty_nodes: int = 21
    discrimination_nodes: int = 5
    iterations: int = 500
    tolerance: float = 1e-3

    def __post_init__(self) -> None:
        if min(self.ability_spread, self.discrimination_spread, self.spread_weight) <= 0:
            raise ValueError("a prior's spread or weight is not above 0")


@dataclass(frozen=True)
class Ability:
    """A miner's ability, logits above the mean miner, and its standard error.

    The error is clustered by source image.
    """

    miner: Miner
    answers: int
    ability: float
    error: float


@dataclass(frozen=True)
class ItemResponse:
    """A fitted model.

    `abilities` of all miners who answered, ablest first. `challenges` has a row for each answered
    one, in order of validators' lives: `challenge_id`, `source_image`, `label`, `answers`, `right`,
    `difficulty`, `difficulty_error`, `discrimination`, `discrimination_error` (posterior means and
    standard deviations). `mean` and `spread` are the population's of difficulties.
    `log_likelihood` is the marginal one, without priors.
    """

    abilities: list[Ability]
    challenges: pl.DataFrame
    mean: float
    spread: float
    log_likelihood: float
    iterations: int
    converged: bool
    settings: ItemResponseSettings


@dataclass
class _Fit:
    ability: Floats
    mean: float
    spread: float
    log_likelihood: float = -np.inf
    iterations: int = 0
    converged: bool = False


def item_response(
    answers: MinerAnswers, settings: ItemResponseSettings = ItemResponseSettings()
) -> ItemResponse:
    """Fit the model to whether answers were right, by the validator's rounding.

    Raises:
        QueryError: fewer than two miners answered, or all answers are right, or all wrong.
    """
    present, miner = np.unique(answers.miner, return_inverse=True)
    _check(len(present), answers)
    asked, starts = np.unique(answers.challenge, return_index=True)
    answered = Answered(
        starts=np.append(starts, len(miner)).astype(np.int64),
        miner=miner.astype(np.int64),
        right=answers.right.astype(np.int64),
        miners=len(present),
    )
    fit = _fit(answered, settings)
    nodes = _nodes(fit, settings)
    images = answers.challenges["image"].to_numpy().astype(np.int64)[asked]
    errors = ability_errors(answered, images, fit.ability, nodes, settings.ability_spread)
    return ItemResponse(
        abilities=_abilities(answers.miners, present, answered, fit.ability, errors),
        challenges=_challenges(answers.challenges, asked, answered, fit, nodes),
        mean=fit.mean,
        spread=fit.spread,
        log_likelihood=fit.log_likelihood,
        iterations=fit.iterations,
        converged=fit.converged,
        settings=settings,
    )


def _check(miners: int, answers: MinerAnswers) -> None:
    what = "item-response model"
    if miners < _FEWEST_MINERS:
        raise QueryError(what, found=f"{miners} miners with an answer", expected="at least 2")
    right = int(np.count_nonzero(answers.right))
    if right in (0, len(answers.right)):
        raise QueryError(
            what,
            found=f"{right} right of {len(answers.right)} answers",
            expected="right and wrong ones",
        )


def _fit(answered: Answered, settings: ItemResponseSettings) -> _Fit:
    fit = _Fit(np.zeros(answered.miners), mean=0.0, spread=1.0)
    while fit.iterations < settings.iterations and not fit.converged:
        nodes = _nodes(fit, settings)
        counts, mass, fit.log_likelihood = expect(answered, fit.ability, nodes)
        before = fit.ability
        fit.ability = _maximise(before, counts, nodes, settings.ability_spread)
        fit.mean = float((mass * nodes.difficulty).sum() / mass.sum())
        squares = float((mass * (nodes.difficulty - fit.mean) ** 2).sum())
        weight = settings.spread_weight
        fit.spread = float(np.sqrt((squares + weight) / (mass.sum() + weight)))
        # only differences are identified: without this EM would drift along the shared level
        level = float(fit.ability.mean())
        fit.ability, fit.mean = fit.ability - level, fit.mean - level
        fit.iterations += 1
        fit.converged = float(np.abs(fit.ability - before).max()) < settings.tolerance
    return fit


def _nodes(fit: _Fit, settings: ItemResponseSettings) -> Nodes:
    """The product of two Gauss-Hermite rules, for difficulty and log discrimination."""
    difficulties, weight = _normal_rule(settings.difficulty_nodes)
    log_slopes, slope_weight = _normal_rule(settings.discrimination_nodes)
    difficulty, slope = np.meshgrid(
        fit.mean + fit.spread * difficulties,
        np.exp(settings.discrimination_spread * log_slopes),
        indexing="ij",
    )
    log_weight = np.log(np.outer(weight, slope_weight))
    return Nodes(difficulty.ravel(), slope.ravel(), log_weight.ravel())


def _normal_rule(count: int) -> tuple[Floats, Floats]:
    """Points and weights that integrate against the standard normal density."""
    points, weights = np.polynomial.hermite_e.hermegauss(count)
    return points, weights / weights.sum()


def _maximise(ability: Floats, counts: Floats, nodes: Nodes, prior: float) -> Floats:
    """Newton's steps on each miner's expected log posterior; counts are (miners, 2, nodes)."""
    wrong, right = counts[:, 0], counts[:, 1]
    for _ in range(_NEWTON_STEPS):
        chance = nodes.chance(ability)
        gradient = (nodes.discrimination * (right - (right + wrong) * chance)).sum(axis=1)
        curvature = (nodes.discrimination**2 * (right + wrong) * chance * (1 - chance)).sum(axis=1)
        step = (gradient - ability / prior**2) / (curvature + 1 / prior**2)
        ability = ability + np.clip(step, -1.0, 1.0)
    return ability


def _abilities(
    miners: list[Miner], present: Indices, answered: Answered, ability: Floats, errors: Floats
) -> list[Ability]:
    counts = np.bincount(answered.miner, minlength=len(present))
    return [
        Ability(miners[present[row]], int(counts[row]), float(ability[row]), float(errors[row]))
        for row in np.argsort(-ability, kind="stable")
    ]


def _challenges(
    challenges: pl.DataFrame, asked: Indices, answered: Answered, fit: _Fit, nodes: Nodes
) -> pl.DataFrame:
    moments = posterior_moments(answered, fit.ability, nodes)
    return challenges[asked].select(
        "challenge_id",
        "source_image",
        "label",
        pl.Series("answers", np.diff(answered.starts)),
        pl.Series("right", np.add.reduceat(answered.right, answered.starts[:-1])),
        pl.Series("difficulty", moments[:, 0]),
        pl.Series("difficulty_error", moments[:, 1]),
        pl.Series("discrimination", moments[:, 2]),
        pl.Series("discrimination_error", moments[:, 3]),
    )
