"""The E-step of the item-response model: sums over all answers and quadrature nodes, compiled.

All challenges share the same nodes, so the log probability of every (miner, right or wrong, node)
is computed once, and an answer costs an addition a node.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from analytics.miners.answers import Indices
from analytics.numba_loops import compiled
from analytics.scoring.metrics import Floats


@dataclass(frozen=True)
class Answered:
    """Answers by challenge: those of challenge k are at `starts[k]` up to `starts[k + 1]`.

    `miner` (0..miners-1) and `right` (0 or 1) are (answers,), `starts` (challenges + 1,).
    """

    starts: Indices
    miner: Indices
    right: Indices
    miners: int


@dataclass(frozen=True)
class Nodes:
    """Quadrature over (difficulty, discrimination), logits, and log weights: (nodes,) each."""

    difficulty: Floats
    discrimination: Floats
    log_weight: Floats

    def chance(self, ability: Floats) -> Floats:
        """(miners, nodes), the probability that a miner is right at a node."""
        chance: Floats = special.expit(self._logits(ability))
        return chance

    def log_chances(self, ability: Floats) -> Floats:
        """(2 * miners, nodes), log probability of being wrong (row 2m) and right (row 2m + 1)."""
        logits = self._logits(ability)
        wrong_right = np.stack([special.log_expit(-logits), special.log_expit(logits)], axis=1)
        return wrong_right.reshape(-1, wrong_right.shape[-1])

    def _logits(self, ability: Floats) -> Floats:
        logits: Floats = self.discrimination * (ability[:, None] - self.difficulty)
        return logits


def expect(answered: Answered, ability: Floats, nodes: Nodes) -> tuple[Floats, Floats, float]:
    """Expected counts given the abilities, all challenges integrated out.

    Returns:
        Expected answers (miners, 2: wrong, right; nodes), expected challenges (nodes,), and the
        marginal log-likelihood.
    """
    counts = np.zeros((2 * answered.miners, len(nodes.log_weight)))
    mass = np.zeros(len(nodes.log_weight))
    logs = nodes.log_chances(ability)
    total = _expect(
        answered.starts, answered.miner, answered.right, logs, nodes.log_weight, counts, mass
    )
    return counts.reshape(answered.miners, 2, -1), mass, total


def posterior_moments(answered: Answered, ability: Floats, nodes: Nodes) -> Floats:
    """(challenges, 4): mean and standard deviation of difficulty, and of discrimination."""
    moments = np.zeros((len(answered.starts) - 1, 4))
    _moments(
        answered.starts,
        answered.miner,
        answered.right,
        nodes.log_chances(ability),
        nodes.log_weight,
        nodes.difficulty,
        nodes.discrimination,
        moments,
    )
    return moments


@compiled
def posterior(
    miner: Indices, right: Indices, logs: Floats, log_weight: Floats, into: Floats
) -> float:
    """Fill `into` with the probability of each node given one challenge's answers.

    Returns the log of their joint probability.
    """
    into[:] = log_weight
    for at in range(len(miner)):
        into += logs[2 * miner[at] + right[at]]
    largest = into.max()
    into[:] = np.exp(into - largest)
    total = into.sum()
    into /= total
    return float(largest + np.log(total))


@compiled
def _expect(
    starts: Indices,
    miner: Indices,
    right: Indices,
    logs: Floats,
    log_weight: Floats,
    counts: Floats,
    mass: Floats,
) -> float:
    total = 0.0
    weights = np.empty(len(log_weight))
    for challenge in range(len(starts) - 1):
        start, end = starts[challenge], starts[challenge + 1]
        total += posterior(miner[start:end], right[start:end], logs, log_weight, weights)
        mass += weights
        for at in range(start, end):
            counts[2 * miner[at] + right[at]] += weights
    return total


@compiled
def _moments(
    starts: Indices,
    miner: Indices,
    right: Indices,
    logs: Floats,
    log_weight: Floats,
    difficulty: Floats,
    discrimination: Floats,
    into: Floats,
) -> None:
    weights = np.empty(len(log_weight))
    for challenge in range(len(starts) - 1):
        start, end = starts[challenge], starts[challenge + 1]
        posterior(miner[start:end], right[start:end], logs, log_weight, weights)
        hard = (weights * difficulty).sum()
        steep = (weights * discrimination).sum()
        into[challenge, 0] = hard
        into[challenge, 1] = np.sqrt((weights * (difficulty - hard) ** 2).sum())
        into[challenge, 2] = steep
        into[challenge, 3] = np.sqrt((weights * (discrimination - steep) ** 2).sum())
