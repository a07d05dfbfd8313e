"""Difficulties and doubtful labels on the page: what is kept, or how far the computing is."""

from analytics.miners.kept_estimates import KeptEstimates, kept_estimates
from dashboards.parts.miners_report import draw_report_state
from dashboards.parts.store_access import Version


def draw_until_estimated(version: Version) -> KeptEstimates | None:
    """The estimates to show, after a line that says when they were made.

    Where none are kept, or older ones, they are computed beside the page.

    Returns:
        None where there is nothing to show yet.
    """
    kept = kept_estimates(version.store)
    draw_report_state(
        version,
        kept,
        "Estimating difficulties and doubtful labels",
        "Difficulties and doubtful labels are",
    )
    return kept
