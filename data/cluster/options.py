"""Options of commands that can work on a Ray cluster."""

from typing import Annotated, Any

import typer

LOCAL = "local"
"""Where commands work by default: in their own process."""


def on_option(what: str) -> Any:
    """The option `--on` of a command; `what` says what is done there."""
    return typer.Option(
        "--on",
        metavar="WHERE",
        help=f"Where {what}: local (this process and its own); ray (the Ray cluster that this "
        "machine is of or RAY_ADDRESS names, else one that is started here); or ray://HOST:PORT.",
    )


WorkerCpusOption = Annotated[
    int | None,
    typer.Option("--worker-cpus", min=1, help="Cores of each worker of a cluster [default: 1]."),
]


def check_cluster_options(where: str, **options: object) -> None:
    """Refuse options that only workers of a cluster have where there is none.

    Args:
        where: `--on`.
        options: each by its name, with `_` for `-`; None where it was not given.

    Raises:
        typer.BadParameter: one was given without a cluster.
    """
    given = [name for name, value in options.items() if value is not None]
    if where == LOCAL and given:
        raise typer.BadParameter(
            "is for workers of a cluster: found --on local; expected --on ray or ray://HOST:PORT",
            param_hint=f"--{given[0].replace('_', '-')}",
        )
