"""Queries to begin with: each is a file in `analytics/sql/examples/`, titled by its first line."""

from importlib import resources


def example_queries() -> dict[str, str]:
    """Queries by title, in the order of their titles."""
    folder = resources.files("analytics").joinpath("sql", "examples")
    texts = [path.read_text(encoding="utf-8") for path in folder.iterdir()]
    titled = [text.removeprefix("--").strip().split("\n", 1) for text in texts]
    return {title: query.strip() for title, query in sorted(titled)}
