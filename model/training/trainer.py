"""The training loop: AdamW, a cosine schedule with warm-up, validation after each epoch."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from analytics.scoring.metrics import confusion_counts, mcc
from analytics.scoring.predicted_class import predicted_class
from data.errors import RunError
from model.backbone.backbone import Backbone
from model.network.pruning import GLOBAL_VIEW
from model.network.street_model import StreetModel
from model.training.dataset import Dataset
from model.training.losses import focal_loss, training_loss
from model.training.settings import AUTO, LossSettings, Precision, TrainSettings
from model.views.views import VIEWS
from replay.candidates.float32 import exact_float32

# The decay of squared gradients is shorter than torch's default, as trainings are short.
_BETAS = (0.9, 0.98)

_Scene = list[list[int]]
"""The rows of one scene, each as the indices of its samples."""


@dataclass(frozen=True)
class EpochMetrics:
    """Metrics of one epoch.

    `loss` is the mean over its steps; `validation_loss` is focal loss and `mcc` the MCC, both over
    the `n` images of the validation split.
    """

    epoch: int
    loss: float
    validation_loss: float
    mcc: float
    n: int


class Trainer:
    """Trains a model, and its backbone if that is not frozen.

    Everything is drawn from `settings.seed`: on one processor with as many threads, the same seed
    gives the same weights, bit by bit. A GPU draws other numbers than a processor for dropout; the
    gradient of a trained backbone's attention may differ in its last bits there from run to run.
    `precision` is what steps compute in, float32 or bfloat16; validation is in float32.
    """

    def __init__(
        self,
        model: StreetModel,
        backbone: Backbone,
        settings: TrainSettings,
        loss: LossSettings = LossSettings(),
    ) -> None:
        """Take a model, on the backbone's device."""
        self._model, self._backbone = model, backbone
        self._settings, self._loss = settings, loss
        self._device = next(backbone.parameters()).device
        self._generator = torch.Generator().manual_seed(settings.seed)
        self.precision = precision_on(settings.precision, self._device)

    def epochs(
        self,
        training: Dataset,
        validation: Dataset,
        on_progress: Callable[[int], object] = lambda _: None,
    ) -> Iterator[EpochMetrics]:
        """Train; each epoch's metrics are yielded when it is done, with the model as it is then.

        Args:
            training: every epoch sees each row once, in one of its images.
            validation: evaluated on all images.
            on_progress: called with the number of rows seen.

        Raises:
            RunError: the loss is no longer finite.
        """
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(self._settings.seed)
            scenes = _samples_by_scene(training)
            steps = self._settings.epochs * self._steps_per_epoch(scenes)
            optimiser = self.optimiser()
            schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, self._lr_factor(steps))
            for epoch in range(1, self._settings.epochs + 1):
                losses = []
                for batch in self._batches(scenes):
                    losses.append(self._step(training, batch, optimiser))
                    schedule.step()
                    on_progress(len(batch))
                # whoever reads the metrics may draw random numbers: the loop's own are not moved
                with torch.random.fork_rng(devices=devices):
                    yield self._evaluate(epoch, float(np.mean(losses)), validation)

    def loss(self, dataset: Dataset, indices: Sequence[int]) -> torch.Tensor:
        """The loss of a step on the samples at these indices, a scalar with its graph."""
        rows = dataset.rows(indices)
        autocast = torch.autocast(
            self._device.type, torch.bfloat16, enabled=self.precision == "bfloat16"
        )
        with exact_float32(), autocast:
            output = dataset.inputs.forward(
                self._model,
                indices,
                dataset.metadata_of(rows, self._device),
                self._sampled_views(dataset, indices),
            )
        labels = dataset.labels[rows].to(self._device)
        weather = dataset.weather[rows].to(self._device)
        return training_loss(output, labels, weather, self._loss)

    def optimiser(self) -> torch.optim.AdamW:
        """AdamW over all trained weights: matrices decay; vectors (biases, norms, NULLs) do not."""
        settings, groups = self._settings, []
        for module in self._trained_modules():
            scale = settings.backbone_lr_scale if module is self._backbone else 1.0
            parameters = list(module.parameters())
            matrices = [parameter for parameter in parameters if parameter.ndim > 1]
            vectors = [parameter for parameter in parameters if parameter.ndim <= 1]
            for group, weight_decay in ((matrices, settings.weight_decay), (vectors, 0.0)):
                lr = scale * settings.lr
                groups.append({"params": group, "lr": lr, "weight_decay": weight_decay})
        return torch.optim.AdamW(groups, betas=_BETAS, fused=True)

    def parameters(self) -> list[nn.Parameter]:
        """All trained weights."""
        return [
            parameter for module in self._trained_modules() for parameter in module.parameters()
        ]

    def _trained_modules(self) -> list[nn.Module]:
        if self._backbone.settings.frozen:
            return [self._model]
        return [self._model, self._backbone]

    def _batches(self, scenes: Sequence[_Scene]) -> list[list[int]]:
        """Indices of the samples of an epoch's batches: each row once, in one image at random.

        Rows of one scene come together and in the same image, so that they differ in what tells
        their labels apart: matched pairs, without which a short training learns little.
        """
        order = torch.randperm(len(scenes), generator=self._generator).tolist()
        # batches of about equal size: a last one of a single row would be mostly noise
        parts = np.array_split(np.array(order), self._steps_per_epoch(scenes))
        return [
            [index for scene in part for index in self._one_image(scenes[scene])] for part in parts
        ]

    def _one_image(self, scene: _Scene) -> list[int]:
        """One sample of each row of a scene, the same image of all."""
        images = min(map(len, scene))
        image = int(torch.randint(images, (), generator=self._generator))
        return [samples[image] for samples in scene]

    def _steps_per_epoch(self, scenes: Sequence[_Scene]) -> int:
        return math.ceil(sum(map(len, scenes)) / self._settings.batch_size)

    def _step(self, dataset: Dataset, batch: list[int], optimiser: torch.optim.Optimizer) -> float:
        self._model.train()
        self._backbone.train()
        loss = self.loss(dataset, batch)
        if not torch.isfinite(loss):
            raise RunError(
                "training",
                found=f"a loss of {loss.item()}",
                expected="a finite one",
                remedy="choose a lower --lr",
            )
        optimiser.zero_grad()
        with exact_float32():
            torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.parameters(), self._settings.clip)
        optimiser.step()
        return float(loss.detach())

    def _sampled_views(self, dataset: Dataset, indices: Sequence[int]) -> torch.Tensor | None:
        """Views of each sample at a step, int64 (B, K): the global one, and others at random.

        Rows of one scene show the same ones. None: all views.
        """
        count = self._settings.views
        if count == VIEWS:
            return None
        numbers: dict[str, int] = {}
        scenes = [dataset.scenes[dataset.inputs.samples[index].row] for index in indices]
        scene_numbers = [numbers.setdefault(scene, len(numbers)) for scene in scenes]
        priority = torch.rand(len(numbers), VIEWS, generator=self._generator)
        priority[:, GLOBAL_VIEW] = -1
        views = priority.topk(count, dim=1, largest=False).indices.sort(dim=1).values
        return views[scene_numbers].to(self._device)

    def _evaluate(self, epoch: int, loss: float, validation: Dataset) -> EpochMetrics:
        """Metrics of the model on all images of the validation split."""
        self._model.eval()
        self._backbone.eval()
        indices = list(range(len(validation.inputs.samples)))
        logits, step = [], self._settings.batch_size
        with torch.inference_mode(), exact_float32():
            for start in range(0, len(indices), step):
                batch = indices[start : start + step]
                metadata = validation.metadata_of(validation.rows(batch), self._device)
                output = validation.inputs.forward(self._model, batch, metadata)
                logits.append(output.logits.double().cpu())
        all_logits, labels = torch.cat(logits), validation.labels[validation.rows(indices)]
        classes = predicted_class(all_logits.softmax(dim=1)[:, 1].numpy())
        return EpochMetrics(
            epoch=epoch,
            loss=loss,
            validation_loss=float(focal_loss(all_logits, labels, self._loss.gamma)),
            mcc=mcc(confusion_counts(classes, labels.numpy())),
            n=len(indices),
        )

    def _lr_factor(self, steps: int) -> Callable[[int], float]:
        """The learning rate at a step over its highest: up in a line, down as half a cosine."""
        warm = max(1, round(self._settings.warmup * steps))

        def factor(step: int) -> float:
            if step < warm:
                return (step + 1) / warm
            return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))

        return factor


def _samples_by_scene(dataset: Dataset) -> list[_Scene]:
    scenes: dict[str, dict[int, list[int]]] = {}
    for index, sample in enumerate(dataset.inputs.samples):
        rows = scenes.setdefault(dataset.scenes[sample.row], {})
        rows.setdefault(sample.row, []).append(index)
    return [list(rows.values()) for rows in scenes.values()]


def precision_on(chosen: Precision, device: torch.device) -> Precision:
    """What a setting means on a device: float32 or bfloat16."""
    if chosen != AUTO:
        return chosen
    # processors emulate it where they do not have it
    has_it = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bfloat16" if has_it else "float32"
