"""Several processes that train together, and the loader's own: who speaks, and how all end."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from accelerate import Accelerator

from data.errors import RunError
from model.optimization.batch_errors import loader_process_died
from model.training.trackers import finish_trackers

# As a launcher sets them: torchrun and accelerate, then MPI's.
_RANKS = ("RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")


def is_main_process() -> bool:
    """This process speaks for all: it prints, writes and locks. Known before any of them is met."""
    ranks = (os.environ[name] for name in _RANKS if name in os.environ)
    return next(ranks, "0") == "0"


def quiet(_line: str) -> None:
    """Say nothing, in a process beside the main one: that says it."""


@contextmanager
def together(accelerator: Accelerator) -> Iterator[None]:
    """A block in which processes train together; their trackers end with it, however it ends.

    Raises:
        RunError: another process ended, or one of the loader's.
    """
    try:
        yield
    except RuntimeError as error:
        loader_process_died(error)
        if accelerator.num_processes > 1 and _is_of_the_connection(error):
            raise RunError(
                f"training in {accelerator.num_processes} processes",
                found="another one that ended",
                expected="all to work to the end",
                remedy="it has said why, unless it was killed: start the same again, it goes on",
            ) from error
        raise
    finally:
        finish_trackers(accelerator)
    accelerator.end_training()


def _is_of_the_connection(error: RuntimeError) -> bool:
    """Whether processes could not reach each other; gloo has no class of errors of its own."""
    return isinstance(error, torch.distributed.DistError) or "gloo" in str(error).lower()
