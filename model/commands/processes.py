"""Several processes run one command: the main one reports for all, the others say nothing."""

from collections.abc import Callable
from typing import TypeVar

import typer

from data.errors import StreetReplayError

T = TypeVar("T")


def report_of_main(work: Callable[[], T]) -> T | None:
    """The result of work that several processes do together, in the main one; None beside it.

    Raises:
        StreetReplayError: in the main process; beside it only what that one does not know of, else
            the command ends with status 1 and says nothing.
    """
    from model.optimization.batch_errors import BatchError  # noqa: PLC0415  imports torch
    from model.training.processes import is_main_process  # noqa: PLC0415

    try:
        report = work()
    except BatchError:
        raise
    except StreetReplayError:
        if is_main_process():
            raise
        raise typer.Exit(1) from None
    return report if is_main_process() else None
