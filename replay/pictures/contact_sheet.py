"""The contact sheet of a plan's challenges, written as a PNG, PDF or SVG file."""

from collections.abc import Callable
from pathlib import Path

from data.atomic_files import atomic_file, temporary_path
from data.errors import StreetReplayError
from data.sources.shards import Shards
from replay.pictures.cards import SheetSettings, collect_cards
from replay.pictures.page import draw_page
from replay.plans.plan import Plan

SUFFIXES = (".png", ".pdf", ".svg")


def check_sheet(path: Path) -> None:
    """Make sure that a sheet can be written, before any work is done for it.

    Raises:
        StreetReplayError: its suffix is none of `SUFFIXES`, or no file can be written there.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise StreetReplayError(
            f"--sheet {path}",
            found=f"suffix {path.suffix}" if path.suffix else "no suffix",
            expected=f"one of {' '.join(SUFFIXES)}",
        )
    try:
        if path.is_dir():
            raise IsADirectoryError(None, "a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary_path(path).touch()
        temporary_path(path).unlink()
    except OSError as error:
        raise StreetReplayError(
            f"--sheet {path}", found=error.strerror, expected="a file that can be written"
        ) from None


def draw_sheet(
    plan: Plan,
    shards: Shards,
    path: Path,
    settings: SheetSettings = SheetSettings(),
    on_progress: Callable[[], None] = lambda: None,
) -> str:
    """Draw the first challenges of a plan on one sheet; an earlier file is replaced.

    Args:
        plan: the challenges, in the order of the sheet.
        shards: the source images.
        path: of the sheet; its suffix is its format.
        settings: how much it holds.
        on_progress: called after each challenge.

    Returns:
        A line for a person: how many of how many challenges are on it, and which.
    """
    shown = plan[: settings.challenge_count]
    cards = collect_cards(shown, shards, settings, on_progress)
    line = _heading(shown, len(plan))
    figure = draw_page(cards, line)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format=path.suffix.lower()[1:], facecolor="white")
    return line


def _heading(shown: Plan, total: int) -> str:
    line = f"{len(shown)} of {total} challenges"
    if len(shown) in (0, total):
        return line
    first, last = (
        f"{item.challenge.file} {item.challenge.position}" for item in (shown[0], shown[-1])
    )
    return f"{line}: the first in the order of the log, {first} to {last}"
