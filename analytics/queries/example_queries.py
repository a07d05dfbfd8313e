"""Queries to begin with; the title of each is the first line of its file, a comment."""

from analytics.warehouse.statements import statements

_EXAMPLES = (
    "analytics/queries/example_accuracy_by_level",
    "analytics/queries/example_candidate_by_level",
    "analytics/queries/example_challenges_by_era",
    "analytics/queries/example_false_signatures",
    "analytics/queries/example_miners_by_mcc",
    "analytics/queries/example_missing_answers",
    "analytics/queries/example_null_rates",
    "analytics/queries/example_rejects",
)


def example_queries() -> dict[str, str]:
    """Queries by title, in the order of their titles."""
    titled = [statements(name).removeprefix("--").strip().split("\n", 1) for name in _EXAMPLES]
    return {title: query.strip() for title, query in sorted(titled)}
