"""Augmentation beyond the validator's, by torchvision: RandAugment, cutout and MixUp.

It changes the 224 px image before its views are cut out, in training only. torchvision takes
seconds to import, for which a process that rebuilds images waits only where it is used.
"""

import hashlib
from dataclasses import dataclass

import torch

# The published setting for ImageNet (Cubuk et al., arXiv 1909.13719): 2 operations of strength 9.
_OPERATIONS, _MAGNITUDE = 2, 9
# Random erasing's own share of images (Zhong et al., arXiv 1708.04896).
_ERASED = 0.5


@dataclass(frozen=True)
class ImageAugmentation:
    """RandAugment, then a square erased at random, of each image by itself.

    `cutout` is the square's side in pixels, 0 for none.
    """

    randaugment: bool
    cutout: int
    seed: int

    def __call__(self, image: torch.Tensor, scene: str, draw: int) -> torch.Tensor:
        """The augmented image; the same seed, scene and draw change all images alike.

        Args:
            image: uint8 (3, H, W).
            scene: what the image shows; rows of one scene stay matched pairs.
            draw: the number of the challenge.
        """
        from torchvision.transforms import v2  # noqa: PLC0415

        digest = hashlib.sha256(f"{self.seed} {scene} {draw} augmentation".encode()).digest()
        # torchvision draws from torch's own generator
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int.from_bytes(digest[:8]))
            if self.randaugment:
                image = v2.RandAugment(_OPERATIONS, _MAGNITUDE)(image)
            if self.cutout:
                share = min(1.0, self.cutout**2 / (image.shape[-1] * image.shape[-2]))
                erase = v2.RandomErasing(_ERASED, scale=(share, share), ratio=(1.0, 1.0))
                image = erase(image)
        return image


class Mixup:
    """MixUp of the images of a batch and of all shares (Zhang et al., arXiv 1710.09412).

    Drawn from torch's generator, as dropout is.
    """

    def __init__(self, alpha: float) -> None:
        """Take the parameter of the Beta distribution of the mixing share, above 0."""
        self._alpha = alpha

    def __call__(self, images: torch.Tensor, *shares: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Each challenge mixed with another of its batch, by one share for all.

        Args:
            images: uint8 (B, 3, H, W).
            shares: float32 (B, ...) each, such as class shares.

        Returns:
            The images, and the shares in their order.
        """
        if len(images) == 1:
            return images, *shares
        from torchvision.transforms import v2  # noqa: PLC0415

        # each challenge a class of its own: the mixed classes are the weights of the mixing
        mix = v2.MixUp(alpha=self._alpha, num_classes=len(images))
        mixed, weights = mix(images.float(), torch.arange(len(images), device=images.device))
        return mixed.round().to(torch.uint8), *(weights @ share for share in shares)
