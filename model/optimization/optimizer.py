"""The optimiser, its schedule and the moving average of weights, all timm's."""

from typing import Any

import torch
from timm.optim._optim_factory import (
    create_optimizer_v2,
    get_optimizer_info,
    list_optimizers,
)
from timm.optim._param_groups import param_groups_layer_decay, param_groups_weight_decay
from timm.scheduler.cosine_lr import CosineLRScheduler
from timm.utils.model_ema import ModelEmaV3
from torch import nn

from data.errors import RunError
from model.backbone.backbone import Backbone
from model.network.street_model import StreetModel
from model.optimization.full_model import FullModel
from model.optimization.settings import OptimizerSettings

# The decay of squared gradients is shorter than torch's default, as trainings are short.
_ADAMW_BETAS = (0.9, 0.98)
_MOST_WARMUP = 500
_WARMUP_SHARE = 0.1

_Groups = list[dict[str, Any]]


def make_optimizer(model: FullModel, settings: OptimizerSettings) -> torch.optim.Optimizer:
    """timm's optimiser over all that is trained.

    Matrices decay; vectors (biases, norms, NULLs), positions and tables do not, nor what timm
    exempts in a backbone. Each of a backbone's groups has a factor of the learning rate, of its
    own rate and of layer decay: `lr_scale`, which timm's schedules apply.

    Raises:
        RunError: timm has no such optimiser, or it cannot be made of these settings.
    """
    if settings.opt not in list_optimizers():
        raise RunError(
            "--opt", found=settings.opt, expected="an optimiser of timm, such as adamw or lion"
        )
    _check_betas(settings)
    groups = _street_groups(model.street, settings) + _backbone_groups(model.backbone, settings)
    try:
        optimizer: torch.optim.Optimizer = create_optimizer_v2(
            groups,
            opt=settings.opt,
            lr=settings.lr,
            weight_decay=settings.weight_decay,
            **_options(settings),
        )
    except (TypeError, ValueError, AssertionError, ImportError) as error:
        words = " ".join(str(error).split())
        raise RunError(
            f"--opt {settings.opt}", found=words, expected="an optimiser with these settings"
        ) from error
    return optimizer


def _check_betas(settings: OptimizerSettings) -> None:
    info, betas = get_optimizer_info(settings.opt), settings.opt_betas
    expected = info.num_betas if info.has_betas else 0
    if betas is not None and len(betas) != expected:
        raise RunError(
            "--opt-betas", found=f"{len(betas)} for --opt {settings.opt}", expected=str(expected)
        )


def _options(settings: OptimizerSettings) -> dict[str, Any]:
    """What the optimiser gets beside its rates."""
    adamw = settings.opt == "adamw"
    betas = settings.opt_betas or (_ADAMW_BETAS if adamw else None)
    options: dict[str, Any] = {"fused": True} if adamw else {}
    return options if betas is None else options | {"betas": betas}


def _street_groups(street: StreetModel, settings: OptimizerSettings) -> _Groups:
    groups: _Groups = param_groups_weight_decay(
        street, settings.weight_decay, no_weight_decay_list=street.no_weight_decay()
    )
    return groups


def _backbone_groups(backbone: Backbone, settings: OptimizerSettings) -> _Groups:
    if backbone.frozen:
        return []
    model: Any = backbone.model
    exempt = model.no_weight_decay() if hasattr(model, "no_weight_decay") else ()
    if settings.layer_decay is None:
        groups = param_groups_weight_decay(
            model, settings.weight_decay, no_weight_decay_list=exempt
        )
    else:
        groups = param_groups_layer_decay(
            model,
            settings.weight_decay,
            no_weight_decay_list=exempt,
            layer_decay=settings.layer_decay,
        )
    scale = (settings.backbone_lr or settings.lr) / settings.lr
    return [{**group, "lr_scale": scale * group.get("lr_scale", 1.0)} for group in groups]


def make_schedule(
    optimizer: torch.optim.Optimizer, settings: OptimizerSettings, steps: int
) -> CosineLRScheduler:
    """timm's schedule: up in a line, then down as half a cosine to 0 at the last of all steps."""
    warmup = settings.warmup_steps
    if warmup is None:
        warmup = min(_MOST_WARMUP, round(_WARMUP_SHARE * steps))
    return CosineLRScheduler(
        optimizer,
        t_initial=max(1, steps - warmup),
        warmup_t=warmup,
        # not 0, by which the first step would change nothing
        warmup_lr_init=settings.lr / (warmup + 1),
        warmup_prefix=True,
        t_in_epochs=False,
    )


class WeightAverage:
    """The moving average of all that is trained; its modules are evaluated and kept."""

    def __init__(self, model: FullModel, decay: float) -> None:
        """Begin with the model's weights; the decay rises to `decay` (0 to below 1)."""
        self._averages = [
            (module, ModelEmaV3(module, decay, use_warmup=True)) for module in model.trained
        ]
        averaged: dict[nn.Module, Any] = {
            module: average.module for module, average in self._averages
        }
        self.model = FullModel(averaged.get(model.backbone, model.backbone), averaged[model.street])

    def update(self, step: int) -> None:
        """Follow the model's weights after a step of the optimiser."""
        for module, average in self._averages:
            average.update(module, step)
