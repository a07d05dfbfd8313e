"""Command line options that choose whose log a command works on."""

from typing import Annotated

import typer

ValidatorOption = Annotated[
    str | None,
    typer.Option(
        "--validator",
        metavar="HOTKEY|UID|LIFE",
        help="Only the log of this validator: its hotkey or uid, as its run's config says them, or "
        "the name that a result gives it, such as life-2.",
    ),
]
LogRunOption = Annotated[
    str | None,
    typer.Option("--log-run", metavar="RUN_ID", help="Only what this logged W&B run holds."),
]
