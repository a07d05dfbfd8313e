"""Slices of a comparison as text for a person at a terminal."""

from analytics.comparison.intervals import Interval
from analytics.comparison.slices import Slice
from data.terminal import print_table, say
from replay.comparing.results import Comparison

_SHOWN = 15


def print_slices(comparison: Comparison) -> None:
    """Print the slices that cost the candidate most reward, and say which are too small."""
    judged = [one for one in comparison.slices if not one.small]
    print_table(
        f"slices that cost the candidate most reward ({min(len(judged), _SHOWN)} of {len(judged)} "
        f"shown); the miners' / the candidate's; {comparison.level:.0%} intervals over images",
        (
            *("slice", "n", "challenges", "images", "accuracy", "difference"),
            *("MCC", "difference", "reward that it costs"),
        ),
        [_row(one) for one in judged[:_SHOWN]],
    )
    say(
        "n counts answers of miners; a slice costs what the candidate's mean reward over the whole "
        "log would gain, had it answered that slice as they did"
    )
    if small := len(comparison.slices) - len(judged):
        say(f"{small} slices are too small to judge: --json prints all")
    for field, count in comparison.slices_left_out.items():
        say(f"{count} other values of {field} are no slices: too many for so few challenges each")


def _row(one: Slice) -> tuple[object, ...]:
    mcc = one.mcc is not None and one.miners_mcc is not None
    return (
        f"{one.field}: {one.value}",
        one.n,
        one.challenges,
        one.images,
        f"{one.miners_accuracy:.3f} / {one.accuracy:.3f}",
        _ends(one.accuracy - one.miners_accuracy, one.accuracy_interval),
        f"{one.miners_mcc:.3f} / {one.mcc:.3f}" if mcc else None,
        _ends((one.mcc or 0) - (one.miners_mcc or 0), one.mcc_interval) if mcc else None,
        _ends(one.cost, one.cost_interval),
    )


def _ends(value: float, interval: Interval | None) -> str:
    if interval is None:
        return f"{value:+.3f}"
    return f"{value:+.3f} ({interval[0]:+.2f}, {interval[1]:+.2f})"
