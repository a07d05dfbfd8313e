"""The training loop: AdamW, cosine with warm-up, the best epoch by validation MCC."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from analytics.scoring.metrics import confusion_counts, mcc, predicted_class
from data.errors import RunError
from model.backbone.backbone import Backbone
from model.metadata.tags import table_rows, tag_weights
from model.metadata.tensors import MetadataTensors
from model.network.pruning import GLOBAL_VIEW
from model.network.street_model import StreetModel
from model.training.epoch import EpochMetrics
from model.training.inputs import TrainingInputs
from model.training.losses import LossSettings, focal_loss, training_loss
from model.training.settings import AUTO, Precision, TrainSettings
from model.training.training_row import TrainingRow
from model.views.views import VIEWS
from replay.candidates.float32 import exact_float32

# AdamW's memory of squared gradients: shorter than torch's own, as trainings are short.
_BETAS = (0.9, 0.98)

_Scene = list[list[int]]
"""The rows of one scene, each as the places of its samples."""


@dataclass(frozen=True)
class Dataset:
    """One side of the split: its inputs, and of every row its label, weather and metadata.

    `scenes` names what each row shows; `weather` (rows, rows of the weather table) are shares, 0
    where it is not known; `metadata` is None where the model is not fed any.
    """

    inputs: TrainingInputs
    scenes: Sequence[str]
    labels: torch.Tensor
    weather: torch.Tensor
    metadata: MetadataTensors | None

    @property
    def row_count(self) -> int:
        """How many rows have images."""
        return len({sample.row for sample in self.inputs.samples})

    def rows(self, places: Sequence[int]) -> torch.Tensor:
        """Which row each of the samples at these places is of."""
        return torch.tensor([self.inputs.samples[place].row for place in places])

    def fed(self, rows: torch.Tensor, device: torch.device) -> MetadataTensors | None:
        """What the model is fed beside the images of these rows."""
        return None if self.metadata is None else self.metadata.rows(rows).to(device)


def make_dataset(
    rows: Sequence[TrainingRow], inputs: TrainingInputs, metadata: MetadataTensors | None
) -> Dataset:
    """Rows with what was made of them."""
    labels = torch.tensor([row.label for row in rows])
    scenes = [row.scene for row in rows]
    return Dataset(inputs, scenes, labels, torch.from_numpy(_weather(rows)), metadata)


def _weather(rows: Sequence[TrainingRow]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    shares = np.zeros((len(rows), table_rows("weather")), np.float32)
    for place, row in enumerate(rows):
        if row.metadata.get("weather_null") is None and row.metadata.get("weather"):
            shares[place] = tag_weights("weather", row.metadata["weather"])
    return shares


class Trainer:
    """A model in training, with its backbone if that is not frozen.

    Everything is drawn from `settings.seed`: on one processor with as many threads, the same seed
    gives the same weights, bit by bit. A GPU draws other numbers than a processor for what training
    drops; the gradient of a trained backbone's attention may differ in its last bits there from run
    to run. `precision` is what steps compute in, float32 or bfloat16; validation is in float32.
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
        """Train; each epoch is yielded when it is done, with the model as it is then.

        Args:
            training: every epoch sees each row once, in one of its images.
            validation: all images are judged.
            on_progress: called with the number of rows seen.

        Raises:
            RunError: the loss is no longer finite.
        """
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(self._settings.seed)
            scenes = _by_scene(training)
            steps = self._settings.epochs * self._steps(scenes)
            optimiser = self._optimiser()
            schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, self._rate(steps))
            for epoch in range(1, self._settings.epochs + 1):
                losses = []
                for places in self._order(scenes):
                    losses.append(self._step(training, places, optimiser))
                    schedule.step()
                    on_progress(len(places))
                # the loop's own draws go on as if nobody had looked at the epoch
                with torch.random.fork_rng(devices=devices):
                    yield self._judged(epoch, float(np.mean(losses)), validation)

    def _order(self, scenes: Sequence[_Scene]) -> list[list[int]]:
        """The places of an epoch's batches: each row once, in one of its images at random.

        Rows of one scene come together and in the same image, so that they differ in what tells
        their labels apart: matched pairs, without which a short training learns little.
        """
        order = torch.randperm(len(scenes), generator=self._generator).tolist()
        # batches of about equal size: a last one of a single row would be mostly noise
        parts = np.array_split(np.array(order), self._steps(scenes))
        return [[place for one in part for place in self._image_of(scenes[one])] for part in parts]

    def _image_of(self, scene: _Scene) -> list[int]:
        images = min(map(len, scene))
        chosen = int(torch.randint(images, (), generator=self._generator))
        return [places[chosen] for places in scene]

    def _steps(self, scenes: Sequence[_Scene]) -> int:
        """Steps of an epoch."""
        return math.ceil(sum(map(len, scenes)) / self._settings.batch_size)

    def _step(self, side: Dataset, places: list[int], optimiser: torch.optim.Optimizer) -> float:
        self._model.train()
        self._backbone.train()
        rows = side.rows(places)
        loss = self._loss_of(side, places, rows)
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
        nn.utils.clip_grad_norm_(self._parameters(), self._settings.clip)
        optimiser.step()
        return float(loss.detach())

    def _loss_of(self, side: Dataset, places: list[int], rows: torch.Tensor) -> torch.Tensor:
        lowered = torch.autocast(
            self._device.type, torch.bfloat16, enabled=self.precision == "bfloat16"
        )
        with exact_float32(), lowered:
            output = side.inputs.forward(
                self._model, places, side.fed(rows, self._device), self._views(side, places)
            )
        labels, weather = side.labels[rows].to(self._device), side.weather[rows].to(self._device)
        return training_loss(output, labels, weather, self._loss)

    def _views(self, side: Dataset, places: Sequence[int]) -> torch.Tensor | None:
        """Which views a step shows of each row: the global one, and others at random.

        Rows of one scene show the same ones.
        """
        shown = self._settings.views
        if shown == VIEWS:
            return None
        numbers: dict[str, int] = {}
        scenes = [side.scenes[side.inputs.samples[place].row] for place in places]
        scene = [numbers.setdefault(name, len(numbers)) for name in scenes]
        drawn = torch.rand(len(numbers), VIEWS, generator=self._generator)
        drawn[:, GLOBAL_VIEW] = -1
        views = drawn.topk(shown, dim=1, largest=False).indices.sort(dim=1).values
        return views[scene].to(self._device)

    def _judged(self, epoch: int, loss: float, side: Dataset) -> EpochMetrics:
        """How the model answers the validation's images."""
        self._model.eval()
        self._backbone.eval()
        places = list(range(len(side.inputs.samples)))
        logits, step = [], self._settings.batch_size
        with torch.inference_mode(), exact_float32():
            for start in range(0, len(places), step):
                part = places[start : start + step]
                fed = side.fed(side.rows(part), self._device)
                logits.append(side.inputs.forward(self._model, part, fed).logits.double().cpu())
        found, labels = torch.cat(logits), side.labels[side.rows(places)]
        classes = predicted_class(found.softmax(dim=1)[:, 1].numpy())
        return EpochMetrics(
            epoch=epoch,
            loss=loss,
            validation_loss=float(focal_loss(found, labels, self._loss.gamma)),
            mcc=mcc(confusion_counts(classes, labels.numpy())),
            n=len(places),
        )

    def _parameters(self) -> list[nn.Parameter]:
        return [one for module in self._modules() for one in module.parameters()]

    def _modules(self) -> list[nn.Module]:
        return [self._model, *([] if self._backbone.settings.frozen else [self._backbone])]

    def _optimiser(self) -> torch.optim.AdamW:
        """Matrices decay; vectors (biases, norms, learned NULLs) do not."""
        settings, groups = self._settings, []
        for module in self._modules():
            factor = settings.backbone_lr_scale if module is self._backbone else 1.0
            for decays in (True, False):
                chosen = [one for one in module.parameters() if (one.ndim > 1) == decays]
                decay = settings.weight_decay if decays else 0.0
                groups.append({"params": chosen, "lr": factor * settings.lr, "weight_decay": decay})
        return torch.optim.AdamW(groups, betas=_BETAS, fused=True)

    def _rate(self, steps: int) -> Callable[[int], float]:
        """The factor of the rate at a step: up in a line, then down as half a cosine."""
        warm = max(1, round(self._settings.warmup * steps))

        def factor(step: int) -> float:
            if step < warm:
                return (step + 1) / warm
            return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))

        return factor


def _by_scene(side: Dataset) -> list[_Scene]:
    scenes: dict[str, dict[int, list[int]]] = {}
    for place, sample in enumerate(side.inputs.samples):
        rows = scenes.setdefault(side.scenes[sample.row], {})
        rows.setdefault(sample.row, []).append(place)
    return [list(rows.values()) for rows in scenes.values()]


def precision_on(chosen: Precision, device: torch.device) -> Precision:
    """What a setting means on a device: float32 or bfloat16."""
    if chosen != AUTO:
        return chosen
    # processors emulate it where they do not have it
    has_it = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bfloat16" if has_it else "float32"
