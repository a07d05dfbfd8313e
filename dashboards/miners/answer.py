"""Section: how a miner stands, in sentences and numbers."""

from collections.abc import Sequence
from statistics import median

import streamlit as st

from analytics.comparison.intervals import Interval, newcombe_interval
from analytics.miners.answers import Miner
from analytics.standings.history import HistoryPoint, below_median_since
from analytics.standings.leaderboard import Standing, ranks
from replay.comparing.results import Comparison, Difference, MinerComparison

_LEAST = 10


def least_answers(standings: Sequence[Standing]) -> int:
    """Answers that a miner needs to be ranked: 10, or half of the most in a small store."""
    return min(_LEAST, max(1, max((one.n for one in standings), default=0) // 2))


def draw_answer(
    chosen: Standing,
    standings: Sequence[Standing],
    points: Sequence[HistoryPoint],
    interval: Interval | None,
) -> None:
    """Draw how the chosen miner stands.

    Args:
        chosen: the miner.
        standings: all miners'.
        points: of its uid in one life, in order; empty where it was not asked there.
        interval: of its MCC.
    """
    st.markdown(_standing_now(chosen, points))
    if points:
        st.markdown(_lately(points[-1]))
    st.markdown(_record(chosen, standings, interval))
    st.markdown(_beside_median(chosen, standings))


def candidate_sentence(found: MinerComparison | None, compared: Comparison) -> str:
    """What the candidate would have earned in a miner's place."""
    if found is None:
        return (
            "**In its place**: the candidate predicted none of the challenges that this miner was "
            "asked."
        )
    reward, mcc = found.differences["reward"], found.differences["mcc"]
    score, candidate = found.score, found.candidate
    return (
        f"**In its place** the candidate would have earned a mean reward of {candidate.reward:.3f} "
        f"in place of {score.reward:.3f}: **{_difference(reward, compared.level)}**, on the "
        f"{score.asked:,} challenges of this miner that it predicted, both from empty windows on. "
        f"MCC {candidate.mcc:.2f} in place of {score.mcc:.2f}: "
        f"**{_difference(mcc, compared.level)}** on {score.n:,} that both answered; "
        f"{sum(found.left_out.values()):,} of its answers are left out."
    )


def _standing_now(chosen: Standing, points: Sequence[HistoryPoint]) -> str:
    scored = [point for point in points if point.ema is not None and point.median_ema is not None]
    if not chosen.is_present:
        return "**This hotkey no longer holds the uid.** What follows is what it did while it had."
    if not scored and any(point.ema is not None for point in points):
        return "No uid of this log has a score (EMA) above 0, so none is ahead."
    if not scored:
        return "The log holds no score (EMA) of this uid, so whether it is ahead cannot be said."
    middle = _place(scored[-1])
    since = below_median_since(list(points))
    if since is None:
        return f"**Ahead of the median miner**: {middle}."
    if since is scored[0]:
        return f"**Behind the median miner**, in all of this log: {middle}."
    when = (
        f"its answer {since.answer_number:,} of {since.asked:,}"
        if since.time is None
        else f"{since.time:%Y-%m-%d %H:%M} UTC"
    )
    return f"**Behind the median miner** since {when}: {middle}."


def _place(last: HistoryPoint) -> str:
    """The score and where it stands; one of 0 has no rank."""
    place = f"**unranked**: not one of the {last.ranked:,}"
    if last.rank is not None:
        place = f"rank **{last.rank:,} of {last.ranked:,}**"
    return (
        f"EMA **{last.ema:.3f}**, {place} uids with a score above 0, whose median is "
        f"{last.median_ema:.3f}"
    )


def _lately(last: HistoryPoint) -> str:
    """How often it was right lately and before, and whether that may be chance."""
    now = f"**Lately** it is right in {last.recent_right:,} of its last {last.recent_answers:,}"
    if not last.earlier_answers:
        return f"{now} answers; it has given no more than these."
    recent, earlier = last.recent_right / last.recent_answers, last.earlier_right
    difference = recent - earlier / last.earlier_answers
    low, high = newcombe_interval(
        last.recent_right, last.recent_answers, earlier, last.earlier_answers
    )
    chance = ", which may be chance" if low <= 0 <= high else ""
    return (
        f"{now} answers, in {earlier:,} of the {last.earlier_answers:,} before: "
        f"**{100 * difference:+.0f} points** (95% {100 * low:+.0f} to {100 * high:+.0f}{chance})."
    )


def _record(chosen: Standing, standings: Sequence[Standing], interval: Interval | None) -> str:
    if chosen.mcc is None:
        return f"It answered none of the {chosen.asked:,} challenges that it was asked."
    ends = "too few source images for an interval"
    if interval is not None:
        ends = f"95% {interval[0]:.2f} to {interval[1]:.2f}"
    least = least_answers(standings)
    ranked = ranks(standings, least)
    place = f"not ranked, with fewer than {least} answers"
    if chosen.miner in ranked:
        place = f"rank **{ranked[chosen.miner]:,} of {len(ranked):,}** miners by MCC"
    return (
        f"MCC **{chosen.mcc:.2f}** ({ends}) on {chosen.n:,} answers, {place}; {chosen.left_out:,} "
        f"of {chosen.asked:,} answers are left out: {chosen.silent:,} silent, "
        f"{chosen.not_finite:,} not finite."
    )


def _beside_median(chosen: Standing, standings: Sequence[Standing]) -> str:
    """What may be why: how its parts compare with those of the median ranked miner."""
    ranked = ranks(standings, least_answers(standings))
    others = [one for one in standings if one.miner in ranked]
    if chosen.mcc is None or not others:
        return f"Silent in **{1 - chosen.answer_rate:.1%}** of what it was asked."
    mcc = median(one.mcc for one in others if one.mcc is not None)
    silence = median(1 - one.answer_rate for one in others)
    rewards = [one.reward for one in others if one.reward is not None]
    reward = (
        f", mean reward {chosen.reward:.3f} against {median(rewards):.3f}"
        if rewards and chosen.reward is not None
        else ""
    )
    return (
        f"Beside the median of the {len(others):,} ranked miners: MCC {chosen.mcc:.2f} against "
        f"{mcc:.2f}, silent in **{1 - chosen.answer_rate:.1%}** of what it was asked against "
        f"{silence:.1%}{reward}."
    )


def draw_numbers(chosen: Standing, points: Sequence[HistoryPoint]) -> None:
    """Draw how a miner does now: of its own points in one life, in order."""
    last = points[-1] if points else None
    recent = None if last is None else last.recent_answers
    numbers = (
        ("EMA now", None if last is None else last.ema, "the validator's score of the uid"),
        ("Reward lately", None if last is None else last.mean_reward, _over(recent)),
        ("MCC lately", None if last is None else last.mcc, "the validator's over 100, at least 0"),
        ("Silent lately", None if last is None else last.silence, _over(recent)),
        ("Mean reward", chosen.reward, f"over all {chosen.asked:,} answers"),
    )
    for column, (label, value, note) in zip(st.columns(len(numbers)), numbers, strict=True):
        share = label.startswith("Silent")
        text = "–" if value is None else f"{value:.1%}" if share else f"{value:.3f}"
        column.metric(label, text, border=True)
        column.caption(note)


def _over(answers: int | None) -> str:
    return "not known" if answers is None else f"over the last {answers:,} answers"


def _difference(difference: Difference, level: float) -> str:
    if difference.interval is None:
        return f"{difference.value:+.3f} (too few source images for an interval)"
    low, high = difference.interval
    return f"{difference.value:+.3f} ({level:.0%} {low:+.3f} to {high:+.3f})"


def compared_miner(compared: Comparison, miner: Miner) -> MinerComparison | None:
    """The comparison with one miner; None where it was asked nothing that was predicted."""
    return next(
        (one for one in compared.miners if (one.uid, one.hotkey) == (miner.uid, miner.hotkey)), None
    )
