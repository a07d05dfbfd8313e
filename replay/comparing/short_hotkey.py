"""Shortens hotkeys for the tables that `compare` prints."""

_SHOWN_CHARACTERS = 8


def short_hotkey(hotkey: str) -> str:
    """The first 8 characters of a hotkey, which tell miners apart; --json prints all of it."""
    return f"{hotkey[:_SHOWN_CHARACTERS]}…"
