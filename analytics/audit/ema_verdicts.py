"""A score verdict for every logged score: does it follow by the EMA rule, with the next in view?

The next record tells an original number from a changed one: it follows from what the validator
itself computed, not from what was written into the log afterwards.
"""

import math

import numpy as np

from analytics.audit.ema_gaps import (
    Interruption,
    ScoreState,
    ScoreVerdict,
    ScoreVerdicts,
    gap_before,
    missing_records,
    restarted,
)
from analytics.numba_loops import compiled
from analytics.scoring.ema_rule import (
    EmaRule,
    Float32s,
    Follows,
    Steps,
    continued,
    expected_score,
    follows,
    step,
)


def unknown_scores(uids: int) -> ScoreState:
    """The state before any record: no score is known."""
    nan = np.full(uids, np.nan, np.float32)
    return ScoreState(nan, nan.copy(), nan.copy(), np.zeros(uids, np.bool_))


def no_score_verdicts(records: int, uids: int) -> ScoreVerdicts:
    """Room for the verdicts on `records` records."""
    return ScoreVerdicts(
        codes=np.zeros((records, uids), np.int8),
        expected=np.zeros((records, uids), np.float32),
        hidden=np.zeros((records, uids), np.bool_),
        interruptions=np.zeros(records, np.int8),
        missing=np.zeros(records, np.int64),
    )


@compiled
def starts_at_zero(rule: EmaRule, steps: Steps) -> bool:
    """Whether the first of these records follows from scores of 0, apart from changed numbers."""
    logged = 0
    for uid in range(steps.scores.shape[1]):
        code, _, _ = _score_verdict(rule, steps, 0, uid, np.float32(0), False)
        if code in (ScoreVerdict.UNEXPLAINED, ScoreVerdict.IN_GAP, ScoreVerdict.UNCONFIRMED):
            return False
        logged += code != ScoreVerdict.NOT_LOGGED
    return logged > 0


@compiled
def score_verdicts(
    rule: EmaRule, state: ScoreState, steps: Steps, count: int, verdicts: ScoreVerdicts
) -> None:
    """Fill `verdicts` for the first `count` records, with the one after them in view.

    `state` is moved on to the last of them.
    """
    next_scores = np.empty_like(state.carried)
    for n in range(count):
        if restarted(state, steps, n):
            state.carried[:] = 0
            verdicts.interruptions[n] = Interruption.RESTART
            verdicts.hidden[n] = True
        for uid in range(len(state.carried)):
            code, next_score, expected = _score_verdict(
                rule, steps, n, uid, state.carried[uid], state.validators[uid]
            )
            verdicts.codes[n, uid], next_scores[uid] = code, next_score
            verdicts.expected[n, uid] = expected
        uninterrupted = verdicts.interruptions[n] == Interruption.NONE
        if uninterrupted and gap_before(rule, state, steps, n, verdicts):
            verdicts.interruptions[n] = Interruption.GAP
            verdicts.missing[n] = missing_records(rule, state, steps, n, verdicts)
        _finish_record(rule, state, steps, n, verdicts, next_scores)


@compiled
def _score_verdict(
    rule: EmaRule, steps: Steps, n: int, uid: int, old: np.float32, validator: bool
) -> tuple[ScoreVerdict, np.float32, np.float32]:
    """Verdict, score to carry on, and expected score of a uid in record n, after the score `old`.

    For now: UNEXPLAINED and IN_GAP are settled once all uids of the record are known.
    """
    score = steps.scores[n, uid]
    expected = expected_score(rule, steps, n, uid, old, validator)
    if math.isnan(score):
        return ScoreVerdict.NOT_LOGGED, expected, expected
    if math.isnan(old):
        return ScoreVerdict.NO_EARLIER_SCORE, score, score
    how = follows(rule, steps, n, uid, old)
    if how == Follows.BY_REDERIVED or (how == Follows.BY_DECAY and validator):
        return ScoreVerdict.FOLLOWS, score, expected
    if how == Follows.BY_LOGGED:
        zeroed = steps.excused[n] and steps.logged[n, uid] == 0
        return ScoreVerdict.ZEROED if zeroed else ScoreVerdict.OTHER_REWARD, score, expected
    return _verdict_by_next_record(rule, steps, n, uid, old, expected)


@compiled
def _verdict_by_next_record(
    rule: EmaRule, steps: Steps, n: int, uid: int, old: np.float32, expected: np.float32
) -> tuple[ScoreVerdict, np.float32, np.float32]:
    """The same for a score that decays for the first time, is 0, or breaks the EMA rule."""
    score = steps.scores[n, uid]
    has_next = n + 1 < len(steps.scores)
    next_follows = follows(rule, steps, n + 1, uid, score) if has_next else Follows.NOT
    original = continued(rule, steps, n, uid, old) if has_next else np.float32(np.nan)
    # in a complete log everything is checked: what nothing confirms is wrong
    unconfirmed = ScoreVerdict.IN_GAP if rule.from_start else ScoreVerdict.UNCONFIRMED
    if not math.isnan(original) and next_follows == Follows.NOT:
        return ScoreVerdict.MISMATCH, original, original
    if follows(rule, steps, n, uid, old) == Follows.BY_DECAY:
        if not has_next:
            return unconfirmed, score, expected
        # a validator's score goes on to decay; once only, it is an unlogged reward of 0
        once = next_follows in (Follows.BY_REDERIVED, Follows.BY_LOGGED)
        return ScoreVerdict.UNEXPLAINED if once else ScoreVerdict.FOLLOWS, score, score
    if score == 0 and math.isnan(steps.rederived[n, uid]):
        confirmed = next_follows != Follows.NOT
        return ScoreVerdict.FOLLOWS if confirmed else unconfirmed, score, expected
    unexplained = next_follows != Follows.NOT and math.isnan(original)
    return ScoreVerdict.UNEXPLAINED if unexplained else ScoreVerdict.IN_GAP, score, expected


@compiled
def _finish_record(
    rule: EmaRule,
    state: ScoreState,
    steps: Steps,
    n: int,
    verdicts: ScoreVerdicts,
    next_scores: Float32s,
) -> None:
    """Settle the verdicts left open, and carry the scores on."""
    unlogged = verdicts.interruptions[n] != Interruption.NONE and not rule.from_start
    for uid in range(len(next_scores)):
        code, next_score = verdicts.codes[n, uid], next_scores[uid]
        if code in (ScoreVerdict.UNEXPLAINED, ScoreVerdict.IN_GAP):
            verdicts.codes[n, uid] = ScoreVerdict.IN_GAP if unlogged else ScoreVerdict.MISMATCH
            if not unlogged and (rule.from_start or code == ScoreVerdict.IN_GAP):
                next_score = verdicts.expected[n, uid]
        elif code == ScoreVerdict.OTHER_REWARD and rule.from_start:
            next_score = verdicts.expected[n, uid]
        asked = not math.isnan(steps.rederived[n, uid])
        old, score = state.carried[uid], steps.scores[n, uid]
        if asked:
            logged = steps.logged[n, uid]
            state.rewards[uid] = steps.rederived[n, uid] if math.isnan(logged) else logged
        elif verdicts.codes[n, uid] == ScoreVerdict.FOLLOWS and old > 0:
            state.validators[uid] = score != step(rule, old, old) and score > 0
        state.carried[uid] = next_score
        if not math.isnan(score):
            state.logged[uid] = score
