"""The training loop that stood here before accelerate and the DataLoader, to compare with.

fp32, AdamW fused, hard labels, the losses of that time; one draw of each row an epoch.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from model.network.street_model import ModelOutput, StreetModel
from model.network.view_scorer import scorer_loss

_LR, _DECAY, _CLIP, _BETAS = 1e-3, 0.05, 1.0, (0.9, 0.98)
_GAMMA, _WEATHER, _SCORER = 2.0, 0.1, 0.1


def epoch_before(
    model: StreetModel,
    features: torch.Tensor,
    labels: torch.Tensor,
    weather: torch.Tensor,
    batch_size: int,
) -> Callable[[], Iterator[float]]:
    """A function that trains one epoch, yielding each step's loss.

    Args:
        model: what is trained.
        features: float32 (rows * draws, 12, width), row by row.
        labels: int64 (rows,).
        weather: float32 (rows, rows of the weather table).
        batch_size: rows in a step.
    """
    parameters = list(model.parameters())
    optimiser = torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": _DECAY},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=_LR,
        betas=_BETAS,
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda _step: 1.0)
    generator, draws = torch.Generator().manual_seed(0), len(features) // len(labels)

    def step(indices: Sequence[int]) -> float:
        model.train()
        rows = torch.tensor([index // draws for index in indices])
        output = model(features[torch.as_tensor(indices)])
        loss = _loss(output, labels[rows], weather[rows])
        if not torch.isfinite(loss):
            raise AssertionError("the loss is not finite")
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(parameters, _CLIP)
        optimiser.step()
        schedule.step()
        return float(loss.detach())

    def epoch() -> Iterator[float]:
        order = torch.randperm(len(labels), generator=generator).tolist()
        for part in np.array_split(np.array(order), -(-len(order) // batch_size)):
            yield step(
                [row * draws + int(torch.randint(draws, (), generator=generator)) for row in part]
            )

    return epoch


def _loss(output: ModelOutput, labels: torch.Tensor, weather: torch.Tensor) -> torch.Tensor:
    seen, of_views = output.seen, labels[:, None].expand_as(output.seen)
    views = (_focal(output.view_logits, of_views) * seen).sum() / seen.sum().clamp_min(1)
    known = (weather.sum(dim=1) > 0).sum().clamp_min(1)
    of_weather = F.cross_entropy(output.weather_logits, weather, reduction="none").sum() / known
    of_scorer = scorer_loss(output.scores, output.gates, seen)
    of_label = _focal(output.logits, labels).mean()
    return of_label + views + _WEATHER * of_weather + _SCORER * of_scorer


def _focal(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    log_probability = F.log_softmax(logits, dim=-1)
    true = log_probability.gather(-1, labels[..., None]).squeeze(-1)
    other = log_probability.scatter(-1, labels[..., None], -torch.inf).exp().sum(dim=-1)
    return other.clamp_min(torch.finfo(other.dtype).tiny).pow(_GAMMA) * -true
