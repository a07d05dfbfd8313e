"""The command `streetreplay`: mounts each package's commands, and turns errors into one line."""

import sys
from typing import Annotated

import typer

import analytics.audit_cli
import analytics.cli
import analytics.miners_cli
import model.cli
import model.train_cli
import model.views_cli
import replay.compare_cli
import replay.models
import replay.render_cli
import replay.replay_cli
import replay.sources_cli
from data.errors import StreetReplayError
from data.terminal import note
from data.text import printable
from model.checkpoint_names import FORM, names_checkpoint
from replay.models import Form, LoadSettings
from replay.predictor import Predictor

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Read a StreetVision (SN72) validator's logs, rebuild what its miners saw, and score a "
    "candidate against them.",
)
for package in (
    analytics.cli,
    analytics.audit_cli,
    analytics.miners_cli,
    replay.sources_cli,
    replay.render_cli,
    replay.replay_cli,
    replay.compare_cli,
    model.views_cli,
    model.train_cli,
    model.cli,
):
    app.add_typer(package.app)


@app.callback()
def _options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the trace of an error (before the command).")
    ] = False,
) -> None:
    """Options of every command."""


def _orange() -> Predictor:
    from model.orange import OrangeBaseline  # noqa: PLC0415

    return OrangeBaseline()


def _checkpoint(name: str, settings: LoadSettings) -> Predictor:
    from model.named_checkpoint import load_named  # noqa: PLC0415

    return load_named(name, settings)


replay.models.offer({"orange": _orange})
replay.models.offer_form(Form(FORM, names_checkpoint, _checkpoint))


def main() -> None:
    """Run the command line; exit status 0 done, 1 something failed, 2 wrong use."""
    try:
        app()
    except Exception as error:  # the edge: a trace is for --debug only
        if "--debug" in sys.argv[1:]:
            raise
        words = " ".join(str(error).split())
        if not isinstance(error, StreetReplayError | OSError):
            words = f"{type(error).__name__}: {words}; this is a bug: try again with --debug first"
        note(f"streetreplay: {printable(words)}", style="red")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
