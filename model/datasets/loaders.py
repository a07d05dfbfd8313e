"""Loaders of batches: spawned processes that rebuild images, each two batches ahead."""

from typing import Any

import torch
from accelerate.data_loader import prepare_data_loader
from torch.utils.data import DataLoader, Dataset

from data.machine.processes import cores
from model.datasets.loader_process import LoaderContext, start_worker, whole_batch
from model.datasets.samplers import TrainingBatches

_AHEAD = 2
# Each holds a row group and a decoded photograph.
_MOST_WORKERS = 8


def worker_count(chosen: int | None, processes: int = 1) -> int:
    """How many processes rebuild images: those chosen, else one a core, shared by all trainers."""
    if chosen is not None:
        return chosen
    return max(1, min(_MOST_WORKERS, cores() // processes))


def training_loader(
    dataset: Dataset[Any], batches: TrainingBatches, workers: int, device: torch.device
) -> DataLoader[Any]:
    """A loader of this process's share of each batch, which lies on the device when it comes.

    Batches are shared out by `TrainingBatches` and not by accelerate: its shares would repeat rows
    where a batch does not divide evenly. Workers stay from epoch to epoch.

    Args:
        dataset: gives whole batches.
        batches: in the order of an epoch.
        workers: processes, 0 for none.
        device: of the model.
    """
    loader = DataLoader(
        dataset, batch_sampler=batches, collate_fn=whole_batch, **_options(workers, device)
    )
    return prepare_data_loader(  # type: ignore[no-any-return]
        loader,
        device,
        num_processes=1,
        process_index=0,
        put_on_device=True,
        non_blocking=device.type == "cuda",
    )


def validation_loader(dataset: Dataset[Any], batch_size: int) -> DataLoader[Any]:
    """A loader of all of a dataset in its order, for accelerate to share out and to gather."""
    return DataLoader(dataset, batch_size=batch_size, collate_fn=whole_batch)


def _options(workers: int, device: torch.device) -> dict[str, Any]:
    # a loader draws a seed for its processes: not of the numbers that dropout is drawn from
    options: dict[str, Any] = {"num_workers": workers, "generator": torch.Generator()}
    if workers:
        options |= {
            "multiprocessing_context": LoaderContext(),
            "persistent_workers": True,
            "prefetch_factor": _AHEAD,
            "worker_init_fn": start_worker,
            "pin_memory": device.type == "cuda",
        }
    return options
