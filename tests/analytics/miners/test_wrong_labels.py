"""Labels planted wrong are found by able miners, hard images and clones' votes are not."""

import numpy as np
import pytest

from analytics.miners.answers import Miner, MinerAnswers
from analytics.miners.clones import CloneGroup
from analytics.miners.item_response import Ability, item_response
from analytics.miners.wrong_labels import wrong_labels
from analytics.scoring.metrics import Floats
from tests.analytics.miners.simulated_miners import as_answers, as_predictions, asked

IMAGES, MINERS = 200, 50
WRONG = {3, 50, 120}
COIN_TOSS = {7, 80}


def world(seed: int) -> MinerAnswers:
    """Abler miners are right about the truth; a few images toss a coin, a few labels are wrong."""
    rng = np.random.default_rng(seed)
    image = np.repeat(np.arange(IMAGES), 20)
    truth = rng.integers(2, size=IMAGES)
    challenge, miner = asked(rng, len(image), MINERS)
    ability = np.linspace(0.5, 4.0, MINERS)
    shown = image[challenge]
    logit: Floats = np.where(np.isin(shown, list(COIN_TOSS)), 0.0, ability[miner])
    right = rng.random(len(miner)) < 1 / (1 + np.exp(-logit))
    prediction = as_predictions(right, truth[shown], rng)
    labels = np.where(np.isin(image, list(WRONG)), 1 - truth[image], truth[image])
    return as_answers(challenge, miner, prediction, labels, image)


def test_wrong_labels_are_found_and_hard_images_are_not() -> None:
    answers = world(1)
    abilities = item_response(answers).abilities

    found = wrong_labels(answers, abilities, [])

    assert {one.source_image for one in found.suspected} == {f"s:{number}" for number in WRONG}
    assert found.images_tested + found.images_left_out == IMAGES
    assert 0 < found.voters == found.able_miners < MINERS
    for one in found.suspected:
        assert one.challenges == 20
        assert one.against / one.votes == one.share > 0.5
        assert one.interval[0] < one.share <= one.interval[1]


def test_clones_have_one_vote_together() -> None:
    """Eight able miners contradict the label, but six of them are one."""
    miners = [Miner(uid, f"h{uid}") for uid in range(8)]
    abilities = [Ability(miner, 10, 3.0, 0.1) for miner in miners]
    labels = np.array([1])
    answers = as_answers(np.zeros(8, np.int64), np.arange(8), np.full(8, 0.1), labels)

    apart = wrong_labels(answers, abilities, [])
    together = wrong_labels(answers, abilities, [CloneGroup(miners[:6], [])])

    assert (apart.voters, len(apart.suspected)) == (8, 1)
    assert apart.suspected[0].p_value == pytest.approx(0.5**8)
    assert (together.voters, together.able_miners, together.images_tested) == (3, 8, 0)


def test_only_the_first_answer_to_an_image_votes() -> None:
    """Later answers agree with the label: looked up, not seen."""
    miners, challenges = 8, 4
    challenge, miner = np.repeat(np.arange(challenges), miners), np.tile(np.arange(miners), 4)
    prediction = np.where(challenge == 0, 0.1, 0.9)
    labels, image = np.ones(challenges, np.int64), np.zeros(challenges, np.int64)
    answers = as_answers(challenge, miner, prediction, labels, image)
    abilities = [Ability(one, 4, 3.0, 0.1) for one in answers.miners]

    [one] = wrong_labels(answers, abilities, []).suspected

    assert (one.votes, one.against, one.challenges) == (8, 8, 4)


def test_nobody_able_suspects_nothing() -> None:
    answers = world(2)
    abilities = [Ability(miner, 10, 0.0, 1.0) for miner in answers.miners]

    found = wrong_labels(answers, abilities, [])

    assert (found.suspected, found.voters, found.images_left_out) == ([], 0, IMAGES)
