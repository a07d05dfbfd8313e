"""Errors of a loader's processes, each as one line."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

from data.errors import RunError, SourceAccessError, SourceError
from model.datasets.batch import Batch

_SECONDS_TO_DIE = 5.0


class BatchError(RunError):
    """A batch that cannot be had in this process; others that train with it do not know of it."""


def loader_process_died(error: RuntimeError) -> None:
    """Word torch's error of a loader's process that died; return where it is another error.

    Raises:
        BatchError: a process of the loader died. It may come anywhere: torch raises it on a signal.
    """
    if "DataLoader worker" in str(error):
        raise BatchError(
            "processes that rebuild images",
            found="one that died, perhaps for want of memory",
            expected="processes that work to the end",
            remedy="free some memory or choose fewer --workers, then start the same again",
        ) from error


def batches_of(loader: Iterable[Any]) -> Iterator[Batch]:
    """The batches of a loader.

    Raises:
        BatchError: an image that was there when the training began cannot be rebuilt, a server of
            source images does not answer, or a process of the loader died.
    """
    batches = iter(loader)
    while True:
        try:
            batch = next(batches)
        except StopIteration:
            return
        except RuntimeError as error:
            loader_process_died(error)
            raise
        except (ConnectionError, EOFError):
            _await_its_death()
            raise
        if isinstance(batch, SourceError):
            raise BatchError(
                str(batch),
                remedy="a source changed while it was trained on: start the training anew",
            ) from batch
        if isinstance(batch, SourceAccessError):
            raise BatchError(str(batch)) from batch
        yield batch


def _await_its_death() -> None:
    """Word the death of a process that closed its connection: its signal comes a moment later.

    Raises:
        BatchError: it died.
    """
    try:
        time.sleep(_SECONDS_TO_DIE)
    except RuntimeError as error:  # torch's, on the signal
        loader_process_died(error)
        raise
