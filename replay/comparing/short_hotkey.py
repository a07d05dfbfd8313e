"""Shortens hotkeys where many are shown."""

_FIRST, _LAST = 6, 3


def short_hotkey(hotkey: str) -> str:
    """Its first 6 and last 3 characters, which tell miners apart: `5dyK77…6xR`."""
    if len(hotkey) <= _FIRST + _LAST + 1:
        return hotkey
    return f"{hotkey[:_FIRST]}…{hotkey[-_LAST:]}"
