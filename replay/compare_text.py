"""A comparison as text for a person at a terminal."""

from data.terminal import print_table, say
from replay.compare import Comparison, MinerComparison

_HOTKEY_SHOWN = 8


def print_comparison(comparison: Comparison, most: int) -> None:
    """Print the candidate, what was left out, and the best `most` miners beside it."""
    candidate = comparison.candidate
    fed = "metadata-fed" if comparison.uses_metadata else "image-only"
    say(
        f"{comparison.model} ({fed}, {comparison.run_id}): n {candidate.n}, "
        f"accuracy {candidate.accuracy:.3f}, MCC {candidate.mcc:.3f}",
    )
    say(
        f"images: {comparison.exact} exact, {comparison.distributions} one of several possible "
        "(levels 2 and 3: expected counts over the possible images)"
    )
    left_out = ", ".join(f"{reason} {n}" for reason, n in comparison.left_out.items())
    say(f"challenges left out: {left_out or 'none'}")
    if not comparison.miners:
        say("no miner answered a challenge of this replay")
        return
    print_table(
        f"miners by MCC on challenges shared with the candidate "
        f"({min(most, len(comparison.miners))} of {len(comparison.miners)} shown, "
        f"{comparison.without_shared} share none)",
        ("uid", "hotkey", "n", "left out", "accuracy", "MCC", "candidate", "difference", "95%"),
        [_row(miner) for miner in comparison.miners[:most]],
    )
    ahead = sum(miner.mcc_difference > 0 for miner in comparison.miners)
    clear = sum(m.interval is not None and m.interval[0] > 0 for m in comparison.miners)
    say(
        f"the candidate is ahead of {ahead} of {len(comparison.miners)} miners, "
        f"of {clear} with its whole interval above 0",
    )


def _row(miner: MinerComparison) -> tuple[object, ...]:
    interval = "too few images"
    if miner.interval is not None:
        interval = f"{miner.interval[0]:+.2f} … {miner.interval[1]:+.2f}"
    return (
        miner.uid,
        f"{miner.hotkey[:_HOTKEY_SHOWN]}…",
        miner.n,
        sum(miner.left_out.values()),
        f"{miner.accuracy:.3f}",
        f"{miner.mcc:.3f}",
        f"{miner.candidate.mcc:.3f}",
        f"{miner.mcc_difference:+.3f}",
        interval,
    )
