"""Standard errors of abilities: the observed information (Louis 1982), clustered by source image.

The information of the marginal likelihood alone takes challenges as independent. Those of one image
are about equally hard, so the scores of an image are added up before they are squared (the sandwich
estimator of Liang and Zeger 1986).
"""

import numpy as np
from scipy import sparse

from analytics.miners.answers import Indices
from analytics.miners.item_response_e_step import Answered, Nodes, posterior
from analytics.numba_loops import compiled
from analytics.scoring.metrics import Floats


def ability_errors(
    answered: Answered, images: Indices, ability: Floats, nodes: Nodes, prior: float
) -> Floats:
    """(miners,), the standard error of each ability above the mean one, logits.

    Args:
        answered: all answers.
        images: (challenges,), the number of each challenge's source image.
        ability: (miners,), at the maximum.
        nodes: of the fitted population.
        prior: the spread of abilities before any answer; the error of a miner without one.
    """
    information = np.eye(answered.miners) / prior**2
    scores = np.empty(len(answered.miner))
    _louis(
        answered.starts,
        answered.miner,
        answered.right,
        nodes.log_chances(ability),
        nodes.log_weight,
        nodes.discrimination,
        nodes.chance(ability),
        information,
        scores,
    )
    meat = _clustered(answered, images, scores) + np.eye(answered.miners) / prior**2
    bread = np.linalg.inv(information)
    covariance = bread @ meat @ bread
    # of differences from the mean ability
    covariance -= covariance.mean(axis=0)
    covariance -= covariance.mean(axis=1, keepdims=True)
    errors: Floats = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    return errors


def _clustered(answered: Answered, images: Indices, scores: Floats) -> Floats:
    """(miners, miners), the sum over images of the outer product of their scores."""
    names, numbers = np.unique(images, return_inverse=True)
    rows = np.repeat(numbers, np.diff(answered.starts))
    shape = (len(names), answered.miners)
    of_images = sparse.coo_array((scores, (rows, answered.miner)), shape=shape).tocsr()
    correction = len(names) / max(1, len(names) - 1)
    outer: Floats = correction * (of_images.T @ of_images).toarray()
    return outer


@compiled
def _louis(
    starts: Indices,
    miner: Indices,
    right: Indices,
    logs: Floats,
    log_weight: Floats,
    discrimination: Floats,
    chance: Floats,
    information: Floats,
    scores: Floats,
) -> None:
    """Add E[-H] - Var[S] of each challenge to `information`; fill in each answer's mean score."""
    weights = np.empty(len(log_weight))
    for challenge in range(len(starts) - 1):
        start, end = starts[challenge], starts[challenge + 1]
        posterior(miner[start:end], right[start:end], logs, log_weight, weights)
        slopes = np.empty((end - start, len(log_weight)))
        for at in range(start, end):
            right_chance = chance[miner[at]]
            slopes[at - start] = discrimination * (right[at] - right_chance)
            scores[at] = (weights * slopes[at - start]).sum()
            bend = (weights * discrimination**2 * right_chance * (1 - right_chance)).sum()
            information[miner[at], miner[at]] += bend
        centred = slopes - scores[start:end].reshape(-1, 1)
        spread = (centred * weights) @ centred.T
        for row in range(end - start):
            for column in range(end - start):
                information[miner[start + row], miner[start + column]] -= spread[row, column]
