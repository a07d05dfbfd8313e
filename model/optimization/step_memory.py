"""How many challenges of a batch memory holds at once, found before the first step."""

from dataclasses import dataclass, replace

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object

from data.errors import RunError
from model.backbone.batch_size import ForwardCost, MemorySettings, halvings_that_fit, step_cost
from model.backbone.free_memory import available_bytes
from model.datasets.batch import Batch
from model.metadata.tags import table_rows
from model.metadata.tensors import MetadataTensors
from model.network.street_model import ModelOutput
from model.optimization.batch_loss import BatchLoss
from model.optimization.config import TrainingConfig
from model.optimization.full_model import FullModel, chosen_views
from replay.augmentation.augment import SIDE

# Numbers that an optimiser keeps of each weight: AdamW's two means. Few keep more.
_KEPT_OF_A_WEIGHT = 2


@dataclass(frozen=True)
class StepSize:
    """How many challenges each process takes in one forward and backward.

    `at_once` is None where a whole batch fits; else the batch is halved until a part fits, in the
    process with the least memory, and `reason` says so in a line.
    """

    at_once: int | None = None
    reason: str = ""


def step_size(model: FullModel, config: TrainingConfig, accelerator: Accelerator) -> StepSize:
    """The size for a training that has not begun; all processes get the same.

    Args:
        model: on its device; there is no optimiser and no average yet.
        config: with nothing left open.
        accelerator: of the processes.

    Raises:
        RunError: not even one challenge fits, in any process.
    """
    batch = -(-config.training.batch_size // accelerator.num_processes)
    gathered: list[StepSize | RunError] = gather_object(
        [_size_here(model, config, batch, accelerator)]
    )
    sizes = [size for size in gathered if isinstance(size, StepSize)]
    for error in (size for size in gathered if isinstance(size, RunError)):
        raise error
    return min(sizes, key=lambda size: size.at_once or batch)


def _size_here(
    model: FullModel, config: TrainingConfig, batch: int, accelerator: Accelerator
) -> StepSize | RunError:
    try:
        cost = training_cost(model, config, accelerator.num_processes)
    # a model that looks at numbers, which fake tensors do not have
    except RuntimeError as error:
        words = " ".join(str(error).split())
        return StepSize(reason=f"what a step needs of memory cannot be told: {words[:200]}")
    try:
        halvings = halvings_that_fit(batch, cost, accelerator.device)
    except RunError as error:
        return error
    at_once = batch
    for _ in range(halvings):
        at_once = -(-at_once // 2)
    if at_once == batch:
        return StepSize()
    free = MemorySettings().share * available_bytes(accelerator.device)
    return StepSize(
        at_once,
        f"a batch of {batch} needs {cost.peak(batch) / 2**30:.3g} GiB and {free / 2**30:.3g} GiB "
        f"may be used: gradients of {-(-batch // at_once)} parts of at most {at_once} are summed",
    )


def training_cost(model: FullModel, config: TrainingConfig, processes: int = 1) -> ForwardCost:
    """Peak memory of a training's steps by challenges, in bytes; nothing is computed.

    Counted are images, views, activations, gradients, the optimiser's numbers, the average of the
    weights, and the gradients that processes exchange; not the weights themselves.
    """
    device = next(model.street.parameters()).device
    # its share is drawn as a number; mixing is over before there are activations
    loss = BatchLoss(replace(config, dataset=replace(config.dataset, mixup=0.0)))
    features = model.backbone.width if config.keeps_features else None

    def step(challenges: int) -> None:
        batch = _empty_batch(challenges, config.training.views, features, device)
        for part in loss.parts(_OnDevice(model), batch, challenges):
            torch.autograd.backward(part.total)

    training = model.training
    model.train()
    try:
        cost = step_cost(step, [model])
    finally:
        model.train(training)
    return replace(cost, fixed=cost.fixed + _kept_bytes(model, config, processes))


class _OnDevice:
    """A model that makes its views by torch's own operations, as a GPU does, on any device."""

    def __init__(self, model: FullModel) -> None:
        self._model = model

    def __call__(
        self,
        inputs: torch.Tensor,
        views: torch.Tensor | None,
        metadata: MetadataTensors | None,
    ) -> ModelOutput:
        model = self._model
        if inputs.dtype == torch.uint8:
            pixels = chosen_views(model.extractor.by_matrices(inputs), views)
            inputs = model.features_of_views(pixels)
        output: ModelOutput = model.street(inputs, metadata, views=views)
        return output


def _empty_batch(challenges: int, views: int, features: int | None, device: torch.device) -> Batch:
    """Tensors of a batch's shapes: images, or so many features of each view."""
    if features is None:
        inputs = torch.empty((challenges, 3, SIDE, SIDE), dtype=torch.uint8, device=device)
    else:
        inputs = torch.empty((challenges, views, features), device=device)
    return Batch(
        rows=torch.empty(challenges, dtype=torch.int64),
        inputs=inputs,
        labels=torch.zeros(challenges, dtype=torch.int64, device=device),
        weather=torch.zeros(challenges, table_rows("weather"), device=device),
        views=torch.arange(views, device=device).expand(challenges, -1),
    )


def _kept_bytes(model: FullModel, config: TrainingConfig, processes: int) -> int:
    """What stays in memory beside the weights, once the first step is done."""
    trained = sum(weight.nbytes for weight in model.parameters() if weight.requires_grad)
    kept = _KEPT_OF_A_WEIGHT * trained
    if config.optimizer.ema_decay:
        kept += sum(
            tensor.nbytes for module in model.trained for tensor in module.state_dict().values()
        )
    return kept + (trained if processes > 1 else 0)
