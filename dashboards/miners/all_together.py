"""All miners together on pages: what is kept of them, or how far the computing is."""

from analytics.standings.together import MinersTogether, kept_together
from dashboards.parts.miners_report import draw_report_state
from dashboards.parts.store_access import Version


def draw_until_together(version: Version) -> MinersTogether | None:
    """What rests on all miners together, after a line that says when it was computed.

    Where none is kept, or an older one, it is computed beside the page.

    Returns:
        None where there is nothing to show yet.
    """
    kept = kept_together(version.store)
    draw_report_state(
        version,
        kept,
        "Looking at all miners together, for abilities, clones and memory",
        "Abilities, clones and memory are",
    )
    return kept
