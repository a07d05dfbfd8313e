"""A comparison as text for a person at a terminal."""

from analytics.lives.options import lives_line
from data.terminal import print_table, say
from replay.comparing.results import (
    BaselineComparison,
    Comparison,
    Difference,
    MinerComparison,
    PairedComparison,
)
from replay.comparing.slices_text import print_slices
from replay.comparing.with_another_run import RunComparison, RunScores
from replay.runs.training_rows import TrainedOn

_HOTKEY_SHOWN = 8
_NOTES_SHOWN = 5
_RANK_NAMES = {"mcc": "MCC", "reward": "mean reward", "mean_ema": "mean EMA"}
_COLUMNS = (
    *("n", "MCC", "MCC difference", "asked"),
    *("reward", "reward difference", "EMA"),
)


def print_comparison(
    comparison: Comparison,
    most: int,
    own: TrainedOn | None = None,
    versus: RunComparison | None = None,
    others: TrainedOn | None = None,
) -> None:
    """Print the candidate, its rank, what it is held against, and the best `most` miners.

    Args:
        comparison: what is printed.
        most: how many miners.
        own: where the candidate's training rows are from, as far as that is known.
        versus: the candidate against another replay.
        others: where that one's training rows are from.
    """
    _print_candidate(comparison)
    _print_overlap(comparison, own)
    if versus is not None:
        _print_against(versus, others)
    _print_ranks(comparison)
    _print_baselines(comparison)
    _print_shift(comparison)
    _print_miners(comparison, most)
    if comparison.slices:
        print_slices(comparison)


def _print_candidate(comparison: Comparison) -> None:
    candidate = comparison.candidate
    say(
        f"{_named(comparison)}: n {candidate.n} of {comparison.images} source images, "
        f"accuracy {candidate.accuracy:.3f}, MCC {_with_interval(comparison)} (signed; the "
        f"validator floors it at 0: {candidate.floored_mcc:.3f}), AUC {candidate.auc:.3f}"
    )
    say(
        f"images: {comparison.exact} exact, {comparison.distributions} one of several possible "
        "(levels 2 and 3: expected counts over the possible images)"
    )
    _print_lives(comparison)
    error = comparison.calibration
    say(f"expected calibration error {error.error:.3f} (n {error.n}, {len(error.bins)} bins)")
    say(f"challenges left out: {_counted(comparison.left_out)}")


def _print_lives(comparison: Comparison) -> None:
    apart = "; windows and EMA are each one's own, answers and rewards count together, and EMA is "
    apart += "the mean of each one's last, by challenges asked (--validator chooses)"
    say(f"on {lives_line(comparison.lives)}{apart if len(comparison.lives) > 1 else ''}")


def _with_interval(comparison: Comparison) -> str:
    if comparison.mcc_interval is None:
        return f"{comparison.candidate.mcc:.3f}"
    low, high = comparison.mcc_interval
    return f"{comparison.candidate.mcc:.3f} ({low:+.2f}, {high:+.2f})"


def _named(one: Comparison | RunScores) -> str:
    fed = "metadata-fed" if one.uses_metadata else "image-only"
    return f"{one.model} ({fed}, {one.run_id})"


def _print_overlap(comparison: Comparison, own: TrainedOn | None) -> None:
    """By which training rows challenges were left out, or that nobody knows of any."""
    rows = f"{comparison.training_rows} training rows"
    if not comparison.overlap_checked:
        missing = "" if own is None else f" (no {own.file})"
        say(
            "not checked whether the candidate was trained on these challenges"
            f"{missing}: --trained-on FILE"
        )
    elif own is None:
        say(f"overlap is by {rows}")
    elif own.own:
        say(f"overlap is by the candidate's own {rows} ({own.file})")
    else:
        say(f"overlap is by the {rows} of {own.file}")


def _print_against(versus: RunComparison, others: TrainedOn | None) -> None:
    one, other = versus.run, versus.other
    parts = [
        f"{name} {_both(getattr(one, key), getattr(other, key))}, "
        f"difference {_difference(versus.differences[key])}"
        for key, name in (("mcc", "MCC"), ("accuracy", "accuracy"))
    ]
    auc = versus.differences["auc"]
    by = "" if auc.interval is None else f", difference {_difference(auc)}"
    say(
        f"against {_named(other)} on n {versus.n} challenges, {versus.roadwork} of them roadwork, "
        f"of {versus.images} source images; the candidate's / its: {'; '.join(parts)}; "
        f"AUC {_both(one.auc, other.auc)}{by}"
    )
    if versus.roadwork in (0, versus.n):
        say("all of these have one label: MCC and AUC are 0 by definition")
    say(f"left out of that: {_counted(versus.left_out)}")
    if others is None:
        return
    if others.rows is None:
        say(f"not checked whether {other.run_id} was trained on these (no {others.file})")
    else:
        say(f"overlap with what {other.run_id} was trained on is left out too ({others.file})")


def _counted(reasons: dict[str, int]) -> str:
    return ", ".join(f"{reason} {n}" for reason, n in reasons.items()) or "none"


def _print_ranks(comparison: Comparison) -> None:
    for name, rank in comparison.ranks.items():
        left_out = f"; {rank.left_out} miners left out, too few images" if rank.left_out else ""
        say(
            f"rank by {_RANK_NAMES[name]}: {rank.rank} of {rank.of} "
            f"({comparison.level:.0%} interval {rank.best} to {rank.worst}{left_out})"
        )


def _print_baselines(comparison: Comparison) -> None:
    if comparison.baselines:
        print_table(
            f"chosen on the first {comparison.earlier} challenges, judged on the last "
            f"{comparison.later}; theirs / the candidate's",
            ("against", "who", "chosen on", *_COLUMNS),
            [_baseline_row(one) for one in comparison.baselines],
        )
    for name, why in comparison.without_baseline.items():
        say(f"no {name}: {why}")


def _baseline_row(one: BaselineComparison) -> tuple[object, ...]:
    who = "–" if one.hotkey is None else f"{one.uid} {one.hotkey[:_HOTKEY_SHOWN]}…"
    return (one.name, who, one.chosen_on, *_row(one))


def _print_shift(comparison: Comparison) -> None:
    shift = comparison.shift
    if shift is None:
        say("no threshold: a part in time is empty")
        return
    change = _difference(Difference(shift.difference, shift.interval))
    say(
        f"threshold: answering roadwork above {shift.threshold:.3f} (a shift of the logit by "
        f"{shift.shift:+.2f}, best of {shift.tried} on the first {shift.earlier_n}) changes the "
        f"mean reward on the last {shift.later_n} from {shift.unshifted:.3f} to "
        f"{shift.reward:.3f}: {change}"
    )


def _print_miners(comparison: Comparison, most: int) -> None:
    miners = comparison.miners
    shown = miners[:most]
    print_table(
        f"miners by MCC / the candidate in each one's place ({len(shown)} of {len(miners)} shown, "
        f"{comparison.without_shared} share none); {comparison.level:.0%} intervals over images, "
        f"{comparison.draws} draws; McNemar's exact p",
        ("uid", "hotkey", *_COLUMNS, "left out", "p (Holm)"),
        [_miner_row(miner) for miner in shown],
    )
    for miner in [miner for miner in shown if miner.notes][:_NOTES_SHOWN]:
        say(f"uid {miner.uid} {miner.hotkey[:_HOTKEY_SHOWN]}…: {'; '.join(miner.notes)}")
    ahead = sum(miner.differences["mcc"].value > 0 for miner in miners)
    ends = [found for m in miners if (found := m.differences["mcc"].interval) is not None]
    say(
        f"by MCC the candidate is ahead of {ahead} of {len(miners)} miners, of "
        f"{sum(low > 0 for low, _ in ends)} with its whole interval above 0, and behind "
        f"{sum(high < 0 for _, high in ends)} with its whole interval below"
    )


def _miner_row(miner: MinerComparison) -> tuple[object, ...]:
    p = None if miner.mcnemar is None else miner.mcnemar.holm_p
    return (
        miner.uid,
        f"{miner.hotkey[:_HOTKEY_SHOWN]}…",
        *_row(miner),
        sum(miner.left_out.values()),
        None if p is None else f"{p:.2g}",
    )


def _row(comparison: PairedComparison) -> tuple[object, ...]:
    score, candidate = comparison.score, comparison.candidate
    return (
        score.n,
        _both(score.mcc, candidate.mcc),
        _difference(comparison.differences["mcc"]),
        score.asked,
        _both(score.reward, candidate.reward),
        _difference(comparison.differences["reward"]),
        _both(score.ema, candidate.ema),
    )


def _both(theirs: float, ours: float) -> str:
    return f"{theirs:.3f} / {ours:.3f}"


def _difference(difference: Difference) -> str:
    if difference.interval is None:
        return f"{difference.value:+.3f} (too few images)"
    low, high = difference.interval
    return f"{difference.value:+.3f} ({low:+.2f}, {high:+.2f})"
