"""The sentences that the page Gates begins with."""

from collections.abc import Sequence

from analytics.comparison.intervals import Interval
from analytics.gates.gate_entropy import EntropyBin
from analytics.gates.mean_gates import GateMeans
from data.text import printable


def answer(gates: GateMeans, names: Sequence[str], entropy: Sequence[EntropyBin]) -> list[str]:
    """Where the model looks, and where else when it is wrong; with n and what was left out.

    Args:
        gates: of a replay, of at least one challenge.
        names: of the views, in their order.
        entropy: over the log.
    """
    most = max(gates.views, key=lambda view: view.mean or 0.0)
    images = (
        f"{gates.right:,} right on {gates.right_images:,} source images, {gates.wrong:,} wrong on "
        f"{gates.wrong_images:,}"
    )
    first = (
        f"Over {gates.challenges:,} challenges ({images}) the view with the largest mean "
        f"{gates.measure} is **{names[most.view - 1]}**, {most.mean or 0.0:.3f}"
    )
    total = sum(one.challenges for one in entropy)
    if total:
        mean = sum(one.entropy * one.challenges for one in entropy) / total
        first += (
            f"; shares are as spread as {2**mean:.1f} equal views would be, of {len(gates.views)}"
        )
    return [f"{first}.", _where_wrong(gates, names)]


def left_out_sentence(gates: GateMeans) -> str:
    """How many are left out and why, as text: a reason may quote a log."""
    reasons = ", ".join(f"{count:,} × {reason}" for reason, count in gates.left_out.items())
    count = sum(gates.left_out.values())
    return f"Left out: {count:,}" + (f" ({printable(reasons, 500)})" if reasons else "")


def _where_wrong(gates: GateMeans, names: Sequence[str]) -> str:
    if gates.views[0].interval is None:
        return "No intervals: right or wrong answers are on fewer than 10 source images."
    sure = [view for view in gates.views if view.interval and leaves_zero_out(view.interval)]
    if not sure:
        return (
            "Where it is wrong no view differs by more than chance "
            f"({gates.level:.0%} intervals that hold for all views at once)."
        )
    largest = max(sure, key=lambda view: abs(view.difference or 0.0))
    low, high = largest.interval or (0.0, 0.0)
    name, difference = names[largest.view - 1], largest.difference or 0.0
    return (
        f"Right and wrong answers differ by more than chance in **{len(sure)} of "
        f"{len(names)}** views, most in {name}: {difference:+.3f} "
        f"({gates.level:.0%} {low:+.3f} to {high:+.3f}, for all views at once)."
    )


def leaves_zero_out(interval: Interval) -> bool:
    """Whether a difference is more than chance."""
    low, high = interval
    return low > 0 or high < 0
