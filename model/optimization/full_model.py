"""Backbone and street model as one module, from images or features to outputs."""

from collections.abc import Mapping

import torch
from torch import nn

from model.backbone.backbone import Backbone
from model.metadata.tensors import MetadataTensors
from model.network.street_model import ModelOutput, StreetModel
from model.views.views import ViewExtractor


class FullModel(nn.Module):
    """What is trained: accelerate and torch.compile wrap one module."""

    def __init__(self, backbone: Backbone, street: StreetModel) -> None:
        """Take a backbone and the model on it, on one device."""
        super().__init__()
        self.backbone, self.street = backbone, street
        self.extractor = ViewExtractor(backbone.views)

    @property
    def trained(self) -> list[Backbone | StreetModel]:
        """The modules with weights that are trained."""
        return [self.street] if self.backbone.frozen else [self.street, self.backbone]

    def trained_state(self) -> dict[str, Mapping[str, torch.Tensor]]:
        """The tensors of all that is trained, by part."""
        state: dict[str, Mapping[str, torch.Tensor]] = {"street": self.street.state_dict()}
        if not self.backbone.frozen:
            state["backbone"] = self.backbone.trained_tensors()
        return state

    def load_trained_state(self, state: Mapping[str, Mapping[str, torch.Tensor]]) -> None:
        """Put back what `trained_state` gave."""
        self.street.load_state_dict(state["street"])
        if "backbone" in state:
            self.backbone.load_trained(state["backbone"])

    def forward(
        self,
        inputs: torch.Tensor,
        views: torch.Tensor | None = None,
        metadata: MetadataTensors | None = None,
    ) -> ModelOutput:
        """The model's output; gradients reach all that is trained.

        Args:
            inputs: images, uint8 (B, 3, H, W); or features of the views shown, float32
                (B, K, width).
            views: int64 (B, K), the views that are shown, see `StreetModel.forward`.
            metadata: of the same challenges.
        """
        features = self.features(inputs, views) if inputs.dtype == torch.uint8 else inputs
        output: ModelOutput = self.street(features, metadata, views=views)
        return output

    def features(self, images: torch.Tensor, views: torch.Tensor | None) -> torch.Tensor:
        """The backbone's features of the views shown, float32 (B, K, width)."""
        return self.features_of_views(chosen_views(self.extractor.of_batch(images), views))

    def features_of_views(self, pixels: torch.Tensor) -> torch.Tensor:
        """As `features`, from the normalised views that are shown (B, K, 3, side, side)."""
        # without gradients in parts that fit into memory; a step is sized by its challenges
        forward = self.backbone if torch.is_grad_enabled() else self.backbone.features
        # (B, K, 3, side, side) -> (B * K, ...) and back
        features: torch.Tensor = forward(pixels.flatten(0, 1))
        return features.view(*pixels.shape[:2], -1)


def chosen_views(pixels: torch.Tensor, views: torch.Tensor | None) -> torch.Tensor:
    """The views (B, K, 3, side, side) that are shown, of all (B, 12, 3, side, side).

    A call of its own, after which nothing holds the others: a caller further up would keep them in
    memory while the backbone runs, wherever something watches Python's calls (torch's compiler).
    """
    if views is None:
        return pixels
    return pixels[torch.arange(len(pixels), device=pixels.device)[:, None], views]
