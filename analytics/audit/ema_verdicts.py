"""Every logged score judged by the law, with the next record in view.

A number that was changed afterwards gives itself away: the next record goes on from what had been
there before. One that the validator itself wrote is what the next record goes on from.
"""

import math

import numpy as np

from analytics.audit.ema_gaps import (
    FOLLOWS,
    HOLE,
    IN_HOLE,
    MISMATCH,
    MOVED,
    NOT_LOGGED,
    NOTHING,
    OTHER_REWARD,
    RESTART,
    UNCONFIRMED,
    UNKNOWN,
    ZEROED,
    ScoreState,
    ScoreVerdicts,
    hole_before,
    missing_records,
    restarted,
)
from analytics.numba_loops import compiled
from analytics.scoring.ema_rule import (
    BY_DECAY,
    BY_LOGGED,
    BY_OWN,
    NOT,
    EmaRule,
    Float32s,
    Steps,
    continued,
    expected_score,
    follows,
    step,
)


def unknown_scores(uids: int) -> ScoreState:
    """Nothing is known of any score yet."""
    nan = np.full(uids, np.nan, np.float32)
    return ScoreState(nan, nan.copy(), nan.copy(), np.zeros(uids, np.bool_))


def no_score_verdicts(records: int, uids: int) -> ScoreVerdicts:
    """Room for the verdicts on `records` records."""
    return ScoreVerdicts(
        statuses=np.zeros((records, uids), np.int8),
        expected=np.zeros((records, uids), np.float32),
        hidden=np.zeros((records, uids), np.bool_),
        events=np.zeros(records, np.int8),
        missing=np.zeros(records, np.int64),
    )


@compiled
def starts_at_zero(rule: EmaRule, steps: Steps) -> bool:
    """Whether the first of these records follows from scores of 0, but for values changed later."""
    logged = 0
    for uid in range(steps.scores.shape[1]):
        status, _, _ = _score_verdicts(rule, steps, 0, uid, np.float32(0), False)
        if status in (MOVED, IN_HOLE, UNCONFIRMED):
            return False
        logged += status != NOT_LOGGED
    return logged > 0


@compiled
def score_verdicts(
    rule: EmaRule, state: ScoreState, steps: Steps, count: int, judged: ScoreVerdicts
) -> None:
    """Judge the first `count` records; a further one is only looked ahead at.

    Changes `state` and fills `judged`.
    """
    truths = np.empty_like(state.believed)
    for n in range(count):
        if restarted(state, steps, n):
            state.believed[:] = 0
            judged.events[n] = RESTART
            judged.hidden[n] = True
        for uid in range(len(state.believed)):
            status, truth, expected = _score_verdicts(
                rule, steps, n, uid, state.believed[uid], state.validators[uid]
            )
            judged.statuses[n, uid], truths[uid] = status, truth
            judged.expected[n, uid] = expected
        if judged.events[n] == NOTHING and hole_before(rule, state, steps, n, judged):
            judged.events[n] = HOLE
            judged.missing[n] = missing_records(rule, state, steps, n, judged)
        _settle(rule, state, steps, n, judged, truths)


@compiled
def _score_verdicts(
    rule: EmaRule, steps: Steps, n: int, uid: int, old: np.float32, validator: bool
) -> tuple[int, np.float32, np.float32]:
    """Status, the score to go on from, and the expected score of one entry.

    MOVED: the log goes on from a score that nothing logged explains; IN_HOLE: it cannot be told.
    """
    score = steps.scores[n, uid]
    expected = expected_score(rule, steps, n, uid, old, validator)
    if math.isnan(score):
        return NOT_LOGGED, expected, expected
    if math.isnan(old):
        return UNKNOWN, score, score
    how = follows(rule, steps, n, uid, old)
    if how == BY_OWN or (how == BY_DECAY and validator):
        return FOLLOWS, score, expected
    if how == BY_LOGGED:
        zeroed = steps.excused[n] and steps.logged[n, uid] == 0
        return ZEROED if zeroed else OTHER_REWARD, score, expected
    return _judge_by_next(rule, steps, n, uid, old, expected)


@compiled
def _judge_by_next(
    rule: EmaRule, steps: Steps, n: int, uid: int, old: np.float32, expected: np.float32
) -> tuple[int, np.float32, np.float32]:
    """The same for an entry that decays for the first time, is 0, or breaks the law."""
    score = steps.scores[n, uid]
    ahead = n + 1 < len(steps.scores)
    forth = follows(rule, steps, n + 1, uid, score) if ahead else NOT
    before = continued(rule, steps, n, uid, old) if ahead else np.float32(np.nan)
    # of a whole log everything is checked: what nothing confirms is wrong
    unconfirmed = IN_HOLE if rule.from_start else UNCONFIRMED
    if not math.isnan(before) and forth == NOT:
        return MISMATCH, before, before
    if follows(rule, steps, n, uid, old) == BY_DECAY:
        if not ahead:
            return unconfirmed, score, expected
        # a validator's score goes on to decay; once only, it is an unlogged reward of 0
        return MOVED if forth in (BY_OWN, BY_LOGGED) else FOLLOWS, score, score
    if score == 0 and math.isnan(steps.own[n, uid]):
        return unconfirmed if forth == NOT else FOLLOWS, score, expected
    return MOVED if forth != NOT and math.isnan(before) else IN_HOLE, score, expected


@compiled
def _settle(
    rule: EmaRule, state: ScoreState, steps: Steps, n: int, judged: ScoreVerdicts, truths: Float32s
) -> None:
    """Decide what was unclear, and take the scores over."""
    unlogged = judged.events[n] != NOTHING and not rule.from_start
    for uid in range(len(truths)):
        status, truth, expected = judged.statuses[n, uid], truths[uid], judged.expected[n, uid]
        if status in (MOVED, IN_HOLE):
            judged.statuses[n, uid] = IN_HOLE if unlogged else MISMATCH
            if not unlogged and (rule.from_start or status == IN_HOLE):
                truth = expected
        elif status == OTHER_REWARD and rule.from_start:
            truth = expected
        asked = not math.isnan(steps.own[n, uid])
        old, score = state.believed[uid], steps.scores[n, uid]
        if asked:
            logged = steps.logged[n, uid]
            state.rewards[uid] = steps.own[n, uid] if math.isnan(logged) else logged
        elif judged.statuses[n, uid] == FOLLOWS and old > 0:
            state.validators[uid] = score != step(rule, old, old) and score > 0
        state.believed[uid] = truth
        if not math.isnan(score):
            state.logged[uid] = score
