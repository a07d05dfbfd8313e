"""The command `streetreplay`: mounts each package's commands, and turns errors into one line."""

import gc
import io
import signal
import sys
import traceback
from typing import Annotated

import typer
from typer.exceptions import TyperException

from analytics.commands import audit, logs, miners, null_rates
from data.errors import StreetReplayError
from data.remote_store.opening import sending_back
from data.terminal import note, open_terminal
from model.commands import (
    champion,
    demo,
    describe,
    export,
    finetune,
    retrain,
    train,
    views,
    weights,
)
from replay.commands import compare, gps_clusters, render, replay, sources

_INTERRUPTED = 130
"""What typer makes of Ctrl-C, without a word."""

_NEW_OBJECTS = 20_000
"""After so many Python looks for garbage.

What a command imports stays, up to a million objects: after 700 each, as by default, Python would
look through them again and again, a fifth of a start with torch.
"""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Read a StreetVision (SN72) validator's logs, rebuild what its miners saw, and score a "
    "candidate against them.",
)
for command in (
    logs,
    audit,
    miners,
    null_rates,
    sources,
    render,
    replay,
    compare,
    gps_clusters,
    views,
    train,
    finetune,
    retrain,
    describe,
    champion,
    weights,
    export,
    demo,
):
    app.add_typer(command.app)


@app.callback()
def _options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the trace of an error (before the command).")
    ] = False,
) -> None:
    """Options of every command."""


def main() -> None:
    """Run the command line; exit status 0 done, 1 something failed, 2 wrong use."""
    gc.set_threshold(_NEW_OBJECTS)
    open_terminal()
    # as Ctrl-C: what is open is closed, worker processes too
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        status = _status()
    except KeyboardInterrupt:  # while an error was told: a launcher stops all when one has failed
        status = 1
    finally:
        signal.signal(signal.SIGTERM, before)
    raise SystemExit(status)


def _status() -> int:
    """Run the command, tell its error, and return the exit status."""
    try:
        with sending_back():
            # an exit status, if a command ends early; what a command returns is None
            status: int = app(standalone_mode=False) or 0
            if status == _INTERRUPTED:
                raise KeyboardInterrupt
        return status
    except KeyboardInterrupt:
        return _wrong_use(typer.Abort())
    except (TyperException, typer.Abort) as error:
        return _wrong_use(error)
    except Exception as error:  # noqa: BLE001  (the edge: a trace is for --debug only)
        return _failure(error)


def _wrong_use(error: TyperException | typer.Abort) -> int:
    """Print that a person stopped it, or the usage and the error, which may quote a file's name."""
    if isinstance(error, typer.Abort):
        note("streetreplay: aborted")
        return 1
    message = io.StringIO()
    error.show(message)  # type: ignore[attr-defined]  # of each of its kinds
    for line in message.getvalue().splitlines():
        note(line)
    return error.exit_code


def _failure(error: Exception) -> int:
    if "--debug" in sys.argv[1:]:
        for line in "".join(traceback.format_exception(error)).splitlines():
            note(line)
        return 1
    message = " ".join(str(error).split())
    if not isinstance(error, StreetReplayError | OSError):
        message = f"{type(error).__name__}: {message}; this is a bug: try again with --debug first"
    note(f"streetreplay: {message}", style="red")
    return 1


if __name__ == "__main__":
    main()
