"""The curves of a training as a picture: losses, and MCC on the validation split."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

_SIZE = (9.0, 3.6)


def write_curves(file: Path, epochs: Sequence[Mapping[str, Any]]) -> None:
    """Draw the epochs' losses and MCC to a PNG file.

    Args:
        file: written, whatever its suffix.
        epochs: lines of `metrics.jsonl`.
    """
    figure = Figure(_SIZE, layout="constrained")
    losses, scores = figure.subplots(1, 2)
    numbers = [epoch["epoch"] for epoch in epochs]
    losses.plot(numbers, [epoch["loss"] for epoch in epochs], label="training, weighted sum")
    for name in sorted({name for epoch in epochs for name in epoch["losses"]}):
        values = [epoch["losses"].get(name) for epoch in epochs]
        losses.plot(numbers, values, linewidth=0.8, label=f"training, {name}")
    validation = [epoch["validation_loss"] for epoch in epochs]
    losses.plot(numbers, validation, linestyle="--", label="validation, label")
    losses.set(xlabel="epoch", title="Loss")
    losses.legend(fontsize="x-small")
    scored = [epoch["mcc"] for epoch in epochs]
    scores.plot(numbers, scored, marker="o", markersize=3)
    images = epochs[-1]["n"] if epochs else 0
    scores.set(
        xlabel="epoch", title=f"MCC on {images} validation images", ylim=(min([0.0, *scored]), 1)
    )
    for axes in (losses, scores):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.savefig(file, format="png", dpi=120)
