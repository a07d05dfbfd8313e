"""Print a report on miners as tables."""

from collections import Counter
from typing import Any

from analytics.lives.text import lives_line
from analytics.miners.habits import Habits
from analytics.miners.report import MinerReport, hardest
from data.terminal import note, print_table, say

_SHOWN = 15


def print_report(report: MinerReport) -> None:
    """Print the report's main tables; `--json` prints all of it."""
    counts = report.counts
    say(
        f"{counts.miners} miners, {counts.challenges} challenges: {counts.used} answers of "
        f"{counts.asked} asked; left out {counts.silent} silent, {counts.not_finite} not finite, "
        f"{counts.asked_again} of a uid asked again in one challenge"
    )
    say(f"of {lives_line(report.lives)}")
    _print_abilities(report)
    _print_clones(report)
    _print_memorisation(report)
    _print_habits(report)
    _print_tenures(report)
    _print_hardest(report)
    _print_labels(report)


def _print_abilities(report: MinerReport) -> None:
    model = report.model
    if model is None:
        say(f"no abilities: {report.no_model}")
        return
    title = (
        f"abilities, logits above the mean miner (difficulties: mean {model.mean:.2f}, spread "
        f"{model.spread:.2f}; prior of abilities N(0, {model.settings.ability_spread:g}), of log "
        f"discriminations N(0, {model.settings.discrimination_spread:g}))"
        + ("" if model.converged else f"; NOT converged after {model.iterations} steps")
    )
    rows = [
        (able.miner.uid, able.miner.hotkey, able.answers, able.ability, able.error)
        for able in model.abilities
    ]
    print_table(title, ("uid", "hotkey", "n", "ability", "error"), rows[:_SHOWN])
    _note_more(len(rows))


def _print_clones(report: MinerReport) -> None:
    clones = report.clones
    settings = clones.settings
    say(
        f"clones: pairs that share more than {settings.copied_share:.0%} of their answers beyond "
        f"chance (equal within {settings.tolerance:g}); {clones.pairs_tested} pairs tested, "
        f"{clones.pairs_left_out} left out with fewer than {settings.few_shared} shared challenges"
    )
    if clones.excess_median is not None:
        say(
            f"beyond chance all tested pairs share {clones.excess_median:.1%} in the median, "
            f"{clones.excess_99:.1%} at the 99th percentile"
        )
    rows = [
        (
            ", ".join(str(miner.uid) for miner in group.miners),
            len(group.pairs),
            sum(pair.shared for pair in group.pairs),
            min(pair.excess for pair in group.pairs),
            min(pair.interval[0] for pair in group.pairs),
            max(pair.p_value for pair in group.pairs),
        )
        for group in clones.groups
    ]
    columns = ("uids", "pairs", "n", "least equal beyond chance", "its low end", "largest p")
    _print_rows("clone groups", columns, rows)


def _print_memorisation(report: MinerReport) -> None:
    suspects = [test for test in report.memorisation.tests if test.suspect]
    say(
        f"memorised images: {len(report.memorisation.tests)} miners tested on repeated images, "
        f"{report.memorisation.left_out} left out with too few"
    )
    rows = [
        (
            test.miner.uid,
            test.miner.hotkey,
            test.first_sights,
            test.first_accuracy,
            test.repeats,
            test.repeat_accuracy,
            test.paired_difference,
            *test.paired_interval,
            test.p_value,
        )
        for test in suspects
    ]
    columns = (
        "uid",
        "hotkey",
        "first sights",
        "first accuracy",
        "repeats",
        "repeat accuracy",
        "difference",
        "low",
        "high",
        "p",
    )
    _print_rows("miners suspected of memorising images", columns, rows)


def _print_habits(report: MinerReport) -> None:
    rows = [
        (*_habit_counts(habits), ", ".join(flags))
        for habits in report.habits
        if (flags := _habit_flags(habits))
    ]
    columns = ("uid", "hotkey", "n", "silent", "outside 0..1", "exactly 0 or 1", "habit")
    _print_rows("habits", columns, rows)


def _habit_counts(habits: Habits) -> tuple[Any, ...]:
    counts = (habits.asked, habits.silent, habits.out_of_range, habits.zero_or_one)
    return (habits.uid, habits.hotkey, *counts)


def _habit_flags(habits: Habits) -> list[str]:
    flags = {
        "hard 0/1": habits.hard,
        "mostly silent": habits.mostly_silent,
        "outside 0..1": habits.out_of_range > 0,
        "not finite": habits.not_finite > 0,
    }
    return [flag for flag, holds in flags.items() if holds]


def _print_tenures(report: MinerReport) -> None:
    hotkeys = Counter((tenure.life, tenure.uid) for tenure in report.tenures)
    columns: tuple[str, ...] = ("uid", "hotkey", "n", "first (UTC)", "last (UTC)", "seen by")
    rows: list[tuple[Any, ...]] = [
        (tenure.uid, tenure.hotkey, tenure.asked, tenure.first_time, tenure.last_time, tenure.life)
        for tenure in report.tenures
        if hotkeys[tenure.life, tenure.uid] > 1
    ]
    if len(report.lives) <= 1:
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    _print_rows("uids that changed their hotkey, in order of time", columns, rows)


def _print_hardest(report: MinerReport) -> None:
    if report.model is None:
        return
    names = (
        "challenge_id",
        "source_image",
        "label",
        "answers",
        "right",
        "difficulty",
        "difficulty_error",
        "discrimination",
        "discrimination_error",
    )
    rows = hardest(report.model, _SHOWN).select(names).rows()
    print_table("hardest challenges (posterior means and deviations, logits)", names, rows)


def _print_labels(report: MinerReport) -> None:
    labels = report.wrong_labels
    if labels is None:
        return
    say(
        f"labels: {labels.images_tested} images tested by {labels.voters} independent voters "
        f"({labels.able_miners} able miners, a clone group votes once), "
        f"{labels.images_left_out} left out with too few votes"
    )
    rows = [
        (
            suspect.source_image,
            suspect.label,
            suspect.votes,
            suspect.against,
            suspect.share,
            *suspect.interval,
            suspect.p_value,
        )
        for suspect in labels.suspected
    ]
    columns = ("image", "label", "n", "against", "share", "low", "high", "p")
    _print_rows("labels that able miners contradict", columns, rows)


def _print_rows(title: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    if not rows:
        say(f"{title}: none")
        return
    print_table(f"{len(rows)} {title}" if len(rows) > 1 else title, columns, rows[:_SHOWN])
    _note_more(len(rows))


def _note_more(count: int) -> None:
    if count > _SHOWN:
        note(f"{count - _SHOWN} more rows: --json prints all")
