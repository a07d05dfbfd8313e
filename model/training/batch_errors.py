"""Errors of a loader's processes, each as one line."""

from collections.abc import Iterable, Iterator
from typing import Any

from data.errors import RunError, SourceError
from model.datasets.batch import Batch


def batches_of(loader: Iterable[Any]) -> Iterator[Batch]:
    """The batches of a loader.

    Raises:
        RunError: an image that was there when the training began cannot be rebuilt, or a process
            of the loader died.
    """
    batches = iter(loader)
    while True:
        try:
            batch = next(batches)
        except StopIteration:
            return
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            raise RunError(
                "processes that rebuild images",
                found="one that died, perhaps for want of memory",
                expected="processes that work to the end",
                remedy="free some memory or choose fewer --workers, then start the same again",
            ) from error
        if isinstance(batch, SourceError):
            raise RunError(
                str(batch),
                remedy="a source changed while it was trained on: start the training anew",
            ) from batch
        yield batch
