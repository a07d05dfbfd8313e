"""A report on miners as tables for a person."""

from collections import Counter
from typing import Any

from analytics.lives.options import lives_line
from analytics.miners.report import MinerReport, hardest
from data.terminal import note, print_table, say

_SHOWN = 15


def print_report(report: MinerReport) -> None:
    """Print what a person asks of miners; `--json` has all of it."""
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
        (one.miner.uid, one.miner.hotkey, one.answers, one.ability, one.error)
        for one in model.abilities
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
    _print_found("clone groups", columns, rows)


def _print_memorisation(report: MinerReport) -> None:
    found = [test for test in report.memorisation.tests if test.suspect]
    say(
        f"look-ups: {len(report.memorisation.tests)} miners tested on repeated images, "
        f"{report.memorisation.left_out} left out with too few"
    )
    rows = [
        (
            *(test.miner.uid, test.miner.hotkey, test.first_sights, test.first_accuracy),
            *(test.repeats, test.repeat_accuracy, test.paired_difference),
            *(*test.paired_interval, test.p_value),
        )
        for test in found
    ]
    columns = (
        *("uid", "hotkey", "first sights", "accuracy", "repeats", "accuracy "),
        *("difference", "low", "high", "p"),
    )
    _print_found("look-up suspects", columns, rows)


def _print_habits(report: MinerReport) -> None:
    rows = [
        (one.uid, one.hotkey, one.asked, one.silent, one.out_of_range, one.zero_or_one, words)
        for one in report.habits
        if (words := _habit_words(one.hard, one.mostly_silent, one.out_of_range, one.not_finite))
    ]
    columns = ("uid", "hotkey", "n", "silent", "outside 0..1", "exactly 0 or 1", "habit")
    _print_found("habits", columns, rows)


def _habit_words(hard: bool, silent: bool, out_of_range: int, not_finite: int) -> str:
    words = {
        "hard 0/1": hard,
        "mostly silent": silent,
        "outside 0..1": out_of_range > 0,
        "not finite": not_finite > 0,
    }
    return ", ".join(word for word, holds in words.items() if holds)


def _print_tenures(report: MinerReport) -> None:
    held = Counter((one.life, one.uid) for one in report.tenures)
    several = len(report.lives) > 1
    rows = [
        (one.uid, one.hotkey, one.asked, one.first_time, one.last_time)
        + ((one.life,) if several else ())
        for one in report.tenures
        if held[one.life, one.uid] > 1
    ]
    columns = (
        "uid",
        "hotkey",
        "n",
        "first (UTC)",
        "last (UTC)",
        *(("seen by",) if several else ()),
    )
    _print_found("uids that changed their hotkey, in order of time", columns, rows)


def _print_hardest(report: MinerReport) -> None:
    if report.model is None:
        return
    names = (
        *("challenge_id", "source_image", "label", "answers", "right"),
        *("difficulty", "difficulty_error", "discrimination", "discrimination_error"),
    )
    rows = hardest(report.model, _SHOWN).select(names).rows()
    print_table("hardest challenges (posterior means and deviations, logits)", names, rows)


def _print_labels(report: MinerReport) -> None:
    labels = report.wrong_labels
    if labels is None:
        return
    say(
        f"labels: {labels.images_judged} images judged by {labels.voters} votes of "
        f"{labels.able_miners} able miners, {labels.images_left_out} left out with too few votes"
    )
    rows = [
        (one.source_image, one.label, one.votes, one.against, one.share, *one.interval, one.p_value)
        for one in labels.suspected
    ]
    columns = ("image", "label", "n", "against", "share", "low", "high", "p")
    _print_found("labels that able miners contradict", columns, rows)


def _print_found(title: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    if not rows:
        say(f"{title}: none")
        return
    print_table(f"{len(rows)} {title}" if len(rows) > 1 else title, columns, rows[:_SHOWN])
    _note_more(len(rows))


def _note_more(count: int) -> None:
    if count > _SHOWN:
        note(f"{count - _SHOWN} more rows: --json prints all")
