"""Every logged score judged by the law, with the next record in view.

A number that was changed afterwards gives itself away: the next record goes on from what had been
there before. One that the validator itself wrote is what the next record goes on from.
"""

import math

import numpy as np

from analytics.audit.ema_gaps import (
    FOLLOWS,
    GAP,
    IN_GAP,
    MISMATCH,
    NOT_LOGGED,
    NOTHING,
    OTHER_REWARD,
    RESTART,
    UNCONFIRMED,
    UNEXPLAINED,
    UNKNOWN,
    ZEROED,
    ScoreState,
    ScoreVerdicts,
    gap_before,
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
        codes=np.zeros((records, uids), np.int8),
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
        code, _, _ = _score_verdicts(rule, steps, 0, uid, np.float32(0), False)
        if code in (UNEXPLAINED, IN_GAP, UNCONFIRMED):
            return False
        logged += code != NOT_LOGGED
    return logged > 0


@compiled
def score_verdicts(
    rule: EmaRule, state: ScoreState, steps: Steps, count: int, verdicts: ScoreVerdicts
) -> None:
    """Judge the first `count` records; a further one is only looked ahead at.

    Changes `state` and fills `verdicts`.
    """
    next_scores = np.empty_like(state.carried)
    for n in range(count):
        if restarted(state, steps, n):
            state.carried[:] = 0
            verdicts.events[n] = RESTART
            verdicts.hidden[n] = True
        for uid in range(len(state.carried)):
            code, next_score, expected = _score_verdicts(
                rule, steps, n, uid, state.carried[uid], state.validators[uid]
            )
            verdicts.codes[n, uid], next_scores[uid] = code, next_score
            verdicts.expected[n, uid] = expected
        if verdicts.events[n] == NOTHING and gap_before(rule, state, steps, n, verdicts):
            verdicts.events[n] = GAP
            verdicts.missing[n] = missing_records(rule, state, steps, n, verdicts)
        _finish_record(rule, state, steps, n, verdicts, next_scores)


@compiled
def _score_verdicts(
    rule: EmaRule, steps: Steps, n: int, uid: int, old: np.float32, validator: bool
) -> tuple[int, np.float32, np.float32]:
    """Status, the score to go on from, and the expected score of one entry.

    UNEXPLAINED: the log goes on from a score that nothing logged explains; IN_HOLE: it cannot be told.
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
    return _verdict_by_next_record(rule, steps, n, uid, old, expected)


@compiled
def _verdict_by_next_record(
    rule: EmaRule, steps: Steps, n: int, uid: int, old: np.float32, expected: np.float32
) -> tuple[int, np.float32, np.float32]:
    """The same for an entry that decays for the first time, is 0, or breaks the law."""
    score = steps.scores[n, uid]
    ahead = n + 1 < len(steps.scores)
    forth = follows(rule, steps, n + 1, uid, score) if ahead else NOT
    before = continued(rule, steps, n, uid, old) if ahead else np.float32(np.nan)
    # of a whole log everything is checked: what nothing confirms is wrong
    unconfirmed = IN_GAP if rule.from_start else UNCONFIRMED
    if not math.isnan(before) and forth == NOT:
        return MISMATCH, before, before
    if follows(rule, steps, n, uid, old) == BY_DECAY:
        if not ahead:
            return unconfirmed, score, expected
        # a validator's score goes on to decay; once only, it is an unlogged reward of 0
        return UNEXPLAINED if forth in (BY_OWN, BY_LOGGED) else FOLLOWS, score, score
    if score == 0 and math.isnan(steps.own[n, uid]):
        return unconfirmed if forth == NOT else FOLLOWS, score, expected
    return UNEXPLAINED if forth != NOT and math.isnan(before) else IN_GAP, score, expected


@compiled
def _finish_record(
    rule: EmaRule,
    state: ScoreState,
    steps: Steps,
    n: int,
    verdicts: ScoreVerdicts,
    next_scores: Float32s,
) -> None:
    """Decide what was unclear, and take the scores over."""
    unlogged = verdicts.events[n] != NOTHING and not rule.from_start
    for uid in range(len(next_scores)):
        code, next_score, expected = (
            verdicts.codes[n, uid],
            next_scores[uid],
            verdicts.expected[n, uid],
        )
        if code in (UNEXPLAINED, IN_GAP):
            verdicts.codes[n, uid] = IN_GAP if unlogged else MISMATCH
            if not unlogged and (rule.from_start or code == IN_GAP):
                next_score = expected
        elif code == OTHER_REWARD and rule.from_start:
            next_score = expected
        asked = not math.isnan(steps.own[n, uid])
        old, score = state.carried[uid], steps.scores[n, uid]
        if asked:
            logged = steps.logged[n, uid]
            state.rewards[uid] = steps.own[n, uid] if math.isnan(logged) else logged
        elif verdicts.codes[n, uid] == FOLLOWS and old > 0:
            state.validators[uid] = score != step(rule, old, old) and score > 0
        state.carried[uid] = next_score
        if not math.isnan(score):
            state.logged[uid] = score
