"""Names of exports on the command line; a file of its own, because it must not import torch."""

from pathlib import Path

PREFIX = "export:"
FORM = "[export:]DIR (an export's folder)"
CARD = "export.json"


def names_export(name: str) -> bool:
    """True for `export:DIR`, and for a folder with an export's card."""
    return name.startswith(PREFIX) or (Path(name).expanduser() / CARD).is_file()


def export_folder(name: str) -> Path:
    """The folder that a name means."""
    return Path(name.removeprefix(PREFIX)).expanduser()
