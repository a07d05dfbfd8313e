"""Settings of a backbone and of what is trained of it; imports no torch."""

from dataclasses import dataclass
from typing import Literal

from data.settings import LARGEST_SEED, check_settings, setting
from model.network.settings import Precision

HUB, RANDOM = "hub", "random"

Trained = Literal["none", "adapters", "last", "all"]
"""What is trained: nothing, adapters, the last blocks, or every weight."""

AdapterKind = Literal["lora", "dora", "rslora", "explora"]
"""ExPLoRA trains the last blocks, and LoRA in the others (Khanna et al., arXiv 2406.10973)."""


@dataclass(frozen=True)
class AdapterSettings:
    """Adapters of low rank beside the backbone's linear layers (`peft`).

    Raises:
        RunError: a value out of its range.
    """

    kind: AdapterKind = setting("lora", "Kind of adapter.", flag="--adapter")
    rank: int = setting(8, "Rank of the adapters.", flag="--adapter-rank", least=1)
    alpha: float = setting(16.0, "Scale of the adapters.", flag="--adapter-alpha", above=0)
    dropout: float = setting(
        0.0, "Dropout before the adapters, a share.", flag="--adapter-dropout", least=0, below=1
    )

    def __post_init__(self) -> None:
        check_settings(self, "adapter")


@dataclass(frozen=True)
class BackboneSettings:
    """Which model of timm, with which weights, on views of which side, and what of it is trained.

    `precision` is that of the model on it.

    Raises:
        RunError: a value out of its range.
    """

    name: str = setting(
        "vit_small_patch16_dinov3", "A timm name, with or without a tag.", flag="--backbone"
    )
    weights: str = setting(HUB, "Weights of the backbone: hub, random, or a safetensors file.")
    side: int | None = setting(
        None, "Side of the views in pixels.", unset="the backbone's own", least=1
    )
    seed: int = setting(
        0,
        "Seed of random weights and first adapters.",
        flag="--backbone-seed",
        least=0,
        most=LARGEST_SEED,
    )
    trained: Trained = setting("none", "What of the backbone is trained.", flag="--train-backbone")
    last_blocks: int = setting(
        2, "How many blocks `last` and ExPLoRA train.", flag="--last-blocks", least=1
    )
    checkpointing: bool = setting(
        False,
        "Compute the backbone's activations twice instead of keeping them (less memory).",
        flag="--grad-checkpointing",
    )
    precision: Precision = "fp32"
    adapter: AdapterSettings = AdapterSettings()

    def __post_init__(self) -> None:
        check_settings(self, "backbone")

    @property
    def frozen(self) -> bool:
        """Nothing of it is trained, so that features of images stay the same."""
        return self.trained == "none"
