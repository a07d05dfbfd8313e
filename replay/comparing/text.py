"""A comparison as text for a person at a terminal."""

from analytics.comparison.intervals import Interval
from analytics.comparison.rank import Rank
from analytics.lives.text import lives_line
from analytics.slices.scores import Slice
from data.terminal import print_table, say
from replay.comparing.report import ComparisonReport
from replay.comparing.results import (
    BaselineComparison,
    Comparison,
    Difference,
    MinerComparison,
    PairedComparison,
)
from replay.comparing.short_hotkey import short_hotkey
from replay.comparing.with_another_run import RunComparison, RunScores
from replay.runs.training_rows import TrainedOn
from replay.settings import inputs_name

_NOTES_SHOWN = 5
_SLICES_SHOWN = 15
_RANK_NAMES = {"mcc": "MCC", "reward": "mean reward", "mean_ema": "mean EMA"}
_COLUMNS = ("n", "MCC", "MCC difference", "asked", "reward", "reward difference", "EMA")
_SLICE_COLUMNS = (
    "slice",
    "n",
    "challenges",
    "images",
    "accuracy",
    "accuracy difference",
    "MCC",
    "MCC difference",
    "reward cost",
)


def print_comparison(report: ComparisonReport, miner_count: int) -> None:
    """Print the candidate, its rank, what it is compared with, and the best miners."""
    comparison = report.comparison
    _print_candidate(comparison)
    say(f"computed {report.made:%Y-%m-%d %H:%M} UTC")
    _print_overlap(comparison, report.own)
    if report.against is not None:
        _print_against(report.against, report.others)
    _print_ranks(comparison)
    _print_baselines(comparison)
    _print_shift(comparison)
    _print_miners(comparison, miner_count)
    if comparison.slices:
        _print_slices(comparison)


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
    say(
        f"expected calibration error {_level_with_ends(error.error, error.error_interval)} "
        f"(n {error.n}, {len(error.bins)} bins)"
    )
    say(f"challenges left out: {_counted(comparison.left_out)}")


def _print_lives(comparison: Comparison) -> None:
    note = ""
    if len(comparison.lives) > 1:
        note = (
            "; windows and EMA are each one's own, answers and rewards count together, and EMA is "
            "the mean of each one's last, by challenges asked (--validator chooses)"
        )
    say(f"on {lives_line(comparison.lives)}{note}")


def _with_interval(comparison: Comparison) -> str:
    if comparison.mcc_interval is None:
        return f"{comparison.candidate.mcc:.3f}"
    low, high = comparison.mcc_interval
    return f"{comparison.candidate.mcc:.3f} ({low:+.2f}, {high:+.2f})"


def _named(run: Comparison | RunScores) -> str:
    inputs = inputs_name(uses_metadata=run.uses_metadata)
    return f"{run.model} ({inputs}, {run.run_id})"


def _print_overlap(comparison: Comparison, own: TrainedOn) -> None:
    """By which training rows challenges were left out, or that none are known."""
    rows = f"{comparison.training_rows} training rows"
    if not comparison.overlap_checked:
        say(
            "not checked whether the candidate was trained on these challenges "
            f"(no {own.file}): --trained-on FILE"
        )
    elif own.own:
        say(f"overlap is by the candidate's own {rows} ({own.file})")
    else:
        say(f"overlap is by the {rows} of {own.file}")


def _print_against(against: RunComparison, others: TrainedOn | None) -> None:
    run, other = against.run, against.other
    parts = [
        f"{name} {_two_scores(getattr(run, key), getattr(other, key))}, "
        f"difference {_difference(against.differences[key])}"
        for key, name in (("mcc", "MCC"), ("accuracy", "accuracy"))
    ]
    auc = against.differences["auc"]
    by = "" if auc.interval is None else f", difference {_difference(auc)}"
    say(
        f"against {_named(other)} on n {against.n} challenges, {against.roadwork} of them "
        f"roadwork, of {against.images} source images; the candidate's / its: {'; '.join(parts)}; "
        f"AUC {_two_scores(run.auc, other.auc)}{by}"
    )
    if against.roadwork in (0, against.n):
        say("all of these have one label: MCC and AUC are 0 by definition")
    say(f"left out of that: {_counted(against.left_out)}")
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
        say(f"rank by {_RANK_NAMES[name]}: {_rank(rank, comparison.level)}")
    if comparison.clones_left_out:
        rank = comparison.ranks_without_clones["mcc"]
        say(
            f"rank by MCC with one miner of each clone group ({comparison.clones_left_out} clones "
            f"left out): {_rank(rank, comparison.level)}"
        )


def _rank(rank: Rank, level: float) -> str:
    left_out = f"; {rank.left_out} miners left out, too few images" if rank.left_out else ""
    return f"{rank.rank} of {rank.of} ({level:.0%} interval {rank.best} to {rank.worst}{left_out})"


def _print_baselines(comparison: Comparison) -> None:
    if comparison.baselines:
        print_table(
            f"chosen on the first {comparison.earlier} challenges, evaluated on the last "
            f"{comparison.later}; theirs / the candidate's",
            ("against", "who", "chosen on", *_COLUMNS),
            [_baseline_row(baseline) for baseline in comparison.baselines],
        )
    for name, why in comparison.without_baseline.items():
        say(f"no {name}: {why}")


def _baseline_row(baseline: BaselineComparison) -> tuple[object, ...]:
    hotkey = baseline.hotkey
    who = "–" if hotkey is None else f"{baseline.uid} {short_hotkey(hotkey)}"
    return (baseline.name, who, baseline.chosen_on, *_row(baseline))


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


def _print_miners(comparison: Comparison, miner_count: int) -> None:
    miners = comparison.miners
    shown = miners[:miner_count]
    print_table(
        f"miners by MCC / the candidate on the same challenges ({len(shown)} of {len(miners)} "
        f"shown, {comparison.without_shared} share none); {comparison.level:.0%} intervals over "
        f"images, {comparison.draws} draws; McNemar's exact p",
        ("uid", "hotkey", *_COLUMNS, "left out", "p (Holm)"),
        [_miner_row(miner) for miner in shown],
    )
    with_notes = [miner for miner in shown if miner.notes]
    for miner in with_notes[:_NOTES_SHOWN]:
        say(f"uid {miner.uid} {short_hotkey(miner.hotkey)}: {'; '.join(miner.notes)}")
    ahead = sum(miner.differences["mcc"].value > 0 for miner in miners)
    intervals = [miner.differences["mcc"].interval for miner in miners]
    ends = [interval for interval in intervals if interval is not None]
    say(
        f"by MCC the candidate is ahead of {ahead} of {len(miners)} miners, of "
        f"{sum(low > 0 for low, _ in ends)} with its whole interval above 0, and behind "
        f"{sum(high < 0 for _, high in ends)} with its whole interval below"
    )


def _miner_row(miner: MinerComparison) -> tuple[object, ...]:
    p = None if miner.mcnemar is None else miner.mcnemar.holm_p
    return (
        miner.uid,
        short_hotkey(miner.hotkey),
        *_row(miner),
        sum(miner.left_out.values()),
        None if p is None else f"{p:.2g}",
    )


def _row(comparison: PairedComparison) -> tuple[object, ...]:
    score, candidate = comparison.score, comparison.candidate
    return (
        score.n,
        _two_scores(score.mcc, candidate.mcc),
        _difference(comparison.differences["mcc"]),
        score.asked,
        _two_scores(score.reward, candidate.reward),
        _difference(comparison.differences["reward"]),
        _two_scores(score.ema, candidate.ema),
    )


def _two_scores(theirs: float, ours: float) -> str:
    return f"{theirs:.3f} / {ours:.3f}"


def _difference(difference: Difference) -> str:
    if difference.interval is None:
        return f"{difference.value:+.3f} (too few images)"
    low, high = difference.interval
    return f"{difference.value:+.3f} ({low:+.2f}, {high:+.2f})"


def _print_slices(comparison: Comparison) -> None:
    """The slices that cost the candidate most reward, and how many are too small."""
    large = [row for row in comparison.slices if not row.small]
    print_table(
        "slices that cost the candidate most reward "
        f"({min(len(large), _SLICES_SHOWN)} of {len(large)} "
        f"shown); the miners' / the candidate's; {comparison.level:.0%} intervals over images",
        _SLICE_COLUMNS,
        [_slice_row(row) for row in large[:_SLICES_SHOWN]],
    )
    say(
        "n counts answers of miners; a slice costs what the candidate's mean reward over the whole "
        "log would gain, had it answered that slice as they did"
    )
    if small := len(comparison.slices) - len(large):
        say(f"{small} slices are below the minimum size: --json prints all")
    for field, count in comparison.slices_left_out.items():
        say(f"{count} other values of {field} are no slices: too many for so few challenges each")


def _slice_row(row: Slice) -> tuple[object, ...]:
    mcc, mcc_difference = None, None
    if row.mcc is not None and row.miners_mcc is not None:
        mcc = _two_scores(row.miners_mcc, row.mcc)
        mcc_difference = _with_ends(row.mcc - row.miners_mcc, row.mcc_interval)
    return (
        f"{row.field}: {row.value}",
        row.n,
        row.challenges,
        row.images,
        _two_scores(row.miners_accuracy, row.accuracy),
        _with_ends(row.accuracy - row.miners_accuracy, row.accuracy_interval),
        mcc,
        mcc_difference,
        _with_ends(row.cost, row.cost_interval),
    )


def _level_with_ends(value: float, interval: Interval | None) -> str:
    return f"{value:.3f}" + ("" if interval is None else f" ({interval[0]:.2f}, {interval[1]:.2f})")


def _with_ends(value: float, interval: Interval | None) -> str:
    if interval is None:
        return f"{value:+.3f}"
    return f"{value:+.3f} ({interval[0]:+.2f}, {interval[1]:+.2f})"
