"""A checkpoint as one module, from an image's pixels to a probability: what is exported.

It computes in float32, also where the checkpoint computes in bfloat16, and image-only: every field
of the metadata is NULL, as in a replay without metadata.
"""

from typing import Any

import torch
from torch import nn

from model.backbone.adapters import is_adapted
from model.backbone.backbone import Backbone
from model.export.views import ExportedViews
from model.network.street_model import StreetModel


class ExportedNetwork(nn.Module):
    """Views, backbone and model, with a shift of the logit.

    Args:
        backbone: its adapters are merged into its weights, in place.
        model: on its features.
        shift: added to the logit of roadwork against none, so that 0.5 is where a threshold was.
    """

    def __init__(self, backbone: Backbone, model: StreetModel, shift: float = 0.0) -> None:
        super().__init__()
        merge_adapters(backbone.model)
        self.views = ExportedViews(backbone.views)
        self.backbone = backbone.model
        self.model = model
        self.register_buffer("shift", torch.tensor(shift, dtype=torch.float64))
        self.eval()

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The probability of roadwork, and each view's gate.

        Args:
            pixels: uint8 (H, W, 3) RGB.

        Returns:
            The probability, float64 (), and the gates, float32 (12,), both 0..1.
        """
        features = self.backbone(self.views(pixels))  # (12, D)
        output = self.model(features[None])
        none, roadwork = output.logits[0].double().unbind()
        return torch.sigmoid(roadwork - none + self.shift), output.gates[0]


def merge_adapters(model: Any) -> None:
    """Put the adapters of a timm model into the weights beside them, in place.

    Products then round once instead of twice: features differ in their last bits.
    """
    adapted = [name for name, module in model.named_modules() if is_adapted(module)]
    for name in adapted:
        layer = model.get_submodule(name)
        layer.merge()
        parent, _, own = name.rpartition(".")
        setattr(model.get_submodule(parent), own, layer.get_base_layer())
