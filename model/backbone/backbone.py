"""The backbone: any model of timm as a function from normalised square views to feature vectors.

Its mean, standard deviation and pooling are the model's own. Frozen by default: features can then
be cached (`cache.py`), and training computes the gradients of the small parts only.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import timm
import torch
from torch import nn

from data.errors import RunError
from model.backbone.adapters import adapter_identity
from model.backbone.batch_size import (
    ForwardCost,
    MemorySettings,
    batch_that_fits,
    forward_cost,
    in_parts,
)
from model.backbone.compiled_blocks import compile_blocks
from model.backbone.free_memory import check_free_memory
from model.backbone.settings import HUB, RANDOM, BackboneSettings
from model.backbone.timm_model import (
    as_one_line,
    create_model,
    data_config,
    model_with_weights,
    patch_side,
    random_model,
)
from model.backbone.trained_parts import (
    make_trainable,
    put_back,
    stored_tensors,
    train_trained_parts,
)
from model.backbone.weights import check_name, file_weights, hub_weights
from model.network.precision import computing_in
from model.network.settings import Precision
from model.views.views import ViewSettings

# Raised when the same weights would give other features by this code.
_VERSION = 1


@dataclass(frozen=True)
class BackboneSizes:
    """Sizes of a backbone, known before memory is allocated for it.

    `width` of its features; `side` of its input and `patch` in pixels, None where it has no
    patches; `parameters` counts numbers.
    """

    width: int
    side: int
    patch: int | None
    parameters: int


class Backbone(nn.Module):
    """A timm model without its classifier; made by `load_backbone`."""

    def __init__(self, settings: BackboneSettings, sizes: BackboneSizes, model: Any) -> None:
        super().__init__()
        self.settings = settings
        make_trainable(model, settings, sizes.side)
        self.model = model
        self.frozen = settings.frozen
        self.width, self.side = sizes.width, sizes.side
        config = data_config(model)
        self.views = ViewSettings(self.side, tuple(config["mean"]), tuple(config["std"]))
        self.train(not self.frozen)

    def train(self, mode: bool = True) -> "Backbone":
        """Set the training mode of what is trained; frozen parts stay in evaluation mode."""
        super().train(mode and not self.frozen)
        if self.training:
            train_trained_parts(self.model)
        return self

    def freeze(self) -> "Backbone":
        """Train nothing of it from now on; its weights and adapters stay as they are."""
        self.requires_grad_(False)
        self.frozen = True
        return self.train(False)

    def trained_tensors(self) -> dict[str, torch.Tensor]:
        """What is stored of it: the tensors that are trained by its settings, shared with it.

        Their names are timm's, and `peft`'s for adapters; buffers of trained parts are there too.
        A backbone that is loaded by the same settings is the same again with them, bit by bit.
        """
        return stored_tensors(self.model, self.settings)

    def load_trained(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Put tensors of `trained_tensors` back.

        Raises:
            RunError: some are missing, left over, or of another shape or type; nothing is changed.
        """
        put_back(self.model, self.settings, tensors)
        self.__dict__.pop("_frozen_fingerprint", None)

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        """Features (N, width) of normalised views (N, 3, side, side); no gradients if frozen.

        They are computed in `settings.precision` and given in float32, whatever is around the call;
        on a GPU in bf16 by compiled blocks.
        """
        gradients = torch.is_grad_enabled() and not self.frozen
        compile_blocks(self.model, self.precision, views.device)
        with torch.set_grad_enabled(gradients), computing_in(self.precision, views.device):
            # channels last is what convolutions are fast at
            features: torch.Tensor = self.model(views.contiguous(memory_format=torch.channels_last))
            return features.float()

    def features(
        self, views: torch.Tensor, memory: MemorySettings = MemorySettings()
    ) -> torch.Tensor:
        """Features without gradients, dropout or batch statistics, in parts that fit into memory.

        Parts change the last bits at most: in fp32 features differ by less than 1e-5 of their size.

        Args:
            views: float32, (N, 3, side, side), normalised; on any device.
            memory: how much of it may be used.

        Returns:
            float32, (N, width), on the backbone's device.

        Raises:
            RunError: not even one view fits.
        """
        device = next(self.parameters()).device
        if not len(views):
            return torch.empty((0, self.width), device=device)
        size = batch_that_fits(self.cost, device, memory)
        with self._evaluating(), torch.inference_mode():
            return in_parts(lambda part: self(part.to(device)), views, size)

    @cached_property
    def cost(self) -> ForwardCost:
        """Peak memory of a forward without gradients, as a function of the number of views."""
        with self._evaluating():
            return forward_cost(self, (3, self.side, self.side))

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        """No dropout and no batch statistics, whatever the mode before and after."""
        training = self.training
        self.eval()
        try:
            yield
        finally:
            self.train(training)

    @property
    def precision(self) -> Precision:
        """What its products are computed in."""
        return self.settings.precision

    def check_precision(self, model: Precision) -> None:
        """Refuse a model of another precision, which its features were not made for.

        Raises:
            RunError: both precisions.
        """
        if model != self.precision:
            raise RunError(
                f"precision of {self.settings.name}",
                found=self.precision,
                expected=f"{model}, the precision of the model on it",
            )

    @property
    def fingerprint(self) -> str:
        """SHA-256 of weights, name, precision, views, and the versions of timm and this code."""
        if self.frozen:
            return self._frozen_fingerprint
        return self._fingerprint()

    @cached_property
    def _frozen_fingerprint(self) -> str:
        return self._fingerprint()

    def _fingerprint(self) -> str:
        made_by = [_VERSION, timm.__version__, self.settings.name, self.precision]
        identity = [*made_by, str(self.views)]
        digest = hashlib.sha256(json.dumps(identity).encode())
        if self.settings.trained == "adapters":
            digest.update(adapter_identity(self.settings.adapter).encode())
        for key, tensor in sorted(self.model.state_dict().items()):
            digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            digest.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy().data)
        return digest.hexdigest()


def backbone_sizes(settings: BackboneSettings) -> BackboneSizes:
    """A backbone's width, side, patch and size; nothing is fetched or allocated.

    Raises:
        RunError: timm has no such model, or it takes no input of that side.
    """
    check_name(settings.name)
    with as_one_line(settings.name), torch.device("meta"):
        model: Any = timm.create_model(settings.name, pretrained=False, num_classes=0)
    side = settings.side or int(data_config(model)["input_size"][-1])
    patch = patch_side(model)
    if side < 1 or (patch is not None and side % patch):
        below = side // (patch or 1) * (patch or 1)
        raise RunError(
            f"side of {settings.name}",
            found=f"{side} pixels, patches of {patch or 1}",
            expected=f"a multiple of its patch, such as {below or patch} or {below + (patch or 1)}",
        )
    with as_one_line(f"{settings.name} at {side} pixels"), torch.device("meta"), torch.no_grad():
        model = create_model(settings.name, side).eval()
        features = model(torch.empty(1, 3, side, side))
    if features.ndim != 2:  # noqa: PLR2004
        raise RunError(
            settings.name, found=f"features {tuple(features.shape)}", expected="one vector a view"
        )
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return BackboneSizes(features.shape[1], side, patch, parameters)


def empty_backbone(settings: BackboneSettings) -> Backbone:
    """A backbone without memory for its weights, on the `meta` device.

    Raises:
        RunError: as `backbone_sizes`.
    """
    sizes = backbone_sizes(settings)
    with torch.device("meta"):
        return Backbone(settings, sizes, create_model(settings.name, sizes.side))


def load_backbone(settings: BackboneSettings, device: torch.device | str | None = None) -> Backbone:
    """A backbone with its weights, in float32.

    Args:
        settings: which.
        device: where it goes; None is CUDA if there is one, else the CPU.

    Raises:
        RunError: no such model, weights that are missing, pickled, damaged or another model's, a
            side that the model does not take, or too little memory.
    """
    sizes = backbone_sizes(settings)
    # A file's tensors stand beside the model's own until they are copied.
    copies = 1 if settings.weights == RANDOM else 2
    check_free_memory(4 * sizes.parameters * copies, f"weights of {settings.name}")
    if settings.weights == RANDOM:
        model = random_model(settings, sizes.side)
    else:
        path = hub_weights(settings.name) if settings.weights == HUB else Path(settings.weights)
        model = model_with_weights(settings, sizes.side, file_weights(path.expanduser()))
    chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
    return Backbone(settings, sizes, model).to(chosen)
