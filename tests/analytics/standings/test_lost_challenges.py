"""Lost challenges and slices against pandas."""

import numpy as np
import pandas as pd
import pytest

from analytics.miners.answers import Miner
from analytics.queries.challenge_answers import AnswerOutcome, candidate_answer
from analytics.standings.lost_challenges import (
    Kind,
    LossFilter,
    Order,
    losses_by_slice,
    lost_challenges,
)
from data.store import Store
from tests.analytics.standings.ordered import every_answer, ordered
from tests.worlds.replays import ReplayAnswers, publish_replay

EVERY = (1000, 0)


@pytest.fixture
def answers(store: Store) -> pd.DataFrame:
    frame = every_answer(store)
    frame["finite"] = frame.prediction.notna() & (frame.prediction != -1)
    frame["wrong"] = frame.finite & (np.round(frame.prediction) != frame.label)
    return frame


@pytest.mark.parametrize(("uid", "kind"), [(4, Kind.BOTH), (5, Kind.SILENT), (6, Kind.WRONG)])
def test_which_are_lost_newest_first(
    store: Store, answers: pd.DataFrame, uid: int, kind: Kind
) -> None:
    own = answers[answers.uid == uid]
    lost = own[~own.finite & (kind != Kind.WRONG) | own.wrong & (kind != Kind.SILENT)]
    with ordered(store) as connection:
        found = lost_challenges(
            connection, Miner(uid, f"hotkey-{uid}"), None, LossFilter(kind), EVERY
        )
    assert found.lost == len(lost) > 0
    assert [one.challenge_id for one in found.challenges] == list(lost.challenge_id[::-1])
    for one in found.challenges:
        others = answers[(answers.challenge_id == one.challenge_id) & (answers.uid != uid)]
        assert (one.others, one.others_wrong) == (others.finite.sum(), others.wrong.sum())
        assert one.is_silent != bool(own[own.challenge_id == one.challenge_id].finite.iloc[0])
        assert (one.candidate, one.candidate_right, one.no_candidate) == (None, None, None)


def test_pages_make_up_the_whole_and_the_loneliest_come_first(store: Store) -> None:
    miner, chosen = Miner(4, "hotkey-4"), LossFilter(order=Order.ALONE)
    with ordered(store) as connection:
        whole = lost_challenges(connection, miner, None, chosen, EVERY)
        pages = [lost_challenges(connection, miner, None, chosen, (7, 7 * k)) for k in range(9)]
    assert [one for page in pages for one in page.challenges] == whole.challenges
    shares = [(one.others_wrong + 1) / (one.others + 2) for one in whole.challenges]
    assert shares == sorted(shares)
    assert pages[0].lost == whole.lost
    assert pages[-1].challenges == []


def test_the_candidate_beside_it(store: Store, answers: pd.DataFrame) -> None:
    ids = list(dict.fromkeys(answers.challenge_id))
    given = {
        ids[k]: [0.9, 0.8, 0.1] if k % 3 == 0 else None if k % 3 == 1 else 0.2 for k in range(60)
    }
    publish_replay(store, given, "replay-lost")
    with ordered(store) as connection:
        found = lost_challenges(connection, Miner(4, "hotkey-4"), "replay-lost", page=EVERY)
    assert {one.candidate_right for one in found.challenges} == {True, False, None}
    for one in found.challenges:
        answer = given[one.challenge_id]
        if answer is None:
            assert (one.candidate, one.candidate_right) == (None, None)
            assert one.no_candidate == "shard missing"
        else:
            positive = isinstance(answer, list)
            assert one.candidate == pytest.approx(np.mean(answer))
            assert one.candidate_right == (positive == (one.label == 1))


def test_the_candidate_is_right_by_its_mean_as_on_the_page_challenges(
    store: Store, answers: pd.DataFrame
) -> None:
    ids = list(dict.fromkeys(answers.challenge_id))
    # most images say roadwork and the mean does not; the reverse; a tie, which is 0; no answer
    kinds: list[list[float] | float] = [[0.6, 0.6, 0.0], [1.0, 0.4, 0.4], [0.5], [-1.0], [np.nan]]
    given: ReplayAnswers = {ids[k]: kinds[k % 5] for k in range(60)}
    publish_replay(store, given, "replay-split")
    with ordered(store) as connection:
        found = lost_challenges(connection, Miner(4, "hotkey-4"), "replay-split", page=EVERY)
        for one in found.challenges:
            there = candidate_answer(connection, "replay-split", one.challenge_id)
            assert there is not None
            assert there.outcome is not None
            right = {AnswerOutcome.RIGHT: True, AnswerOutcome.WRONG: False}.get(there.outcome)
            assert one.candidate_right == right
            assert one.no_candidate == (there.outcome.value if right is None else None)
    assert {one.no_candidate for one in found.challenges} == {None, "no answer", "not finite"}


def test_slices(store: Store, answers: pd.DataFrame) -> None:
    with ordered(store) as connection:
        found = losses_by_slice(connection, Miner(4, "hotkey-4"))
    assert {one.field for one in found} == {"level", "label", "source", "era"}
    own = answers[answers.uid == 4]
    others = answers[(answers.uid != 4) & answers.finite]
    share = others.groupby("challenge_id").wrong.mean()
    for one in found:
        if one.field != "level":
            continue
        rows = own[own.aug_level == int(one.value.removeprefix("level "))]
        assert (one.asked, one.silent, one.wrong) == (
            len(rows),
            (~rows.finite).sum(),
            rows.wrong.sum(),
        )
        assert one.answered == rows.finite.sum()
        answered = rows[rows.finite].challenge_id
        assert one.others_wrong == pytest.approx(share[answered].mean())
        assert one.wrong_share == rows.wrong.sum() / one.answered
        assert one.interval[0] <= one.wrong_share <= one.interval[1]
    assert sum(one.asked for one in found if one.field == "label") == len(own)


def test_a_miner_that_lost_nothing(store: Store) -> None:
    with ordered(store) as connection:
        nobody = Miner(99, "nobody")
        assert lost_challenges(connection, nobody, None).lost == 0
        assert losses_by_slice(connection, nobody) == []
