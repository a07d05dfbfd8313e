"""Reading a JSON file that says which format and version it is."""

import json
from pathlib import Path
from typing import Any

from data.errors import RunError


def read_versioned_json(path: Path, form: tuple[str, int], remedy: str) -> dict[str, Any]:
    """The object in a file whose keys `format` and `version` are as expected.

    Args:
        path: of a file that is there.
        form: format and version.
        remedy: what to do where the file is of another form.

    Raises:
        RunError: the file cannot be read, holds no object, or one of another form.
    """
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(str(path), found=error, expected="a JSON object") from error
    found = (written.get("format"), written.get("version")) if isinstance(written, dict) else None
    if found != form:
        raise RunError(
            str(path), found=f"format and version {found}", expected=f"{form}", remedy=remedy
        )
    return written  # type: ignore[no-any-return]
