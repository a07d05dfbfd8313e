"""The command `describe`: a model's parts, and which kernels its attention takes here."""

from pathlib import Path
from typing import Annotated

import typer

from data.terminal import JsonOption, print_json, print_table, say

app = typer.Typer()


@app.command(epilog="Example: streetreplay describe data/store/models/demo")
def describe(
    checkpoint: Annotated[
        Path | None, typer.Argument(help="A checkpoint's folder [default: the full model].")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print a model's parts in the order of the forward pass, and what computes it here."""
    import torch  # noqa: PLC0415

    from model.backbone.compiled_blocks import compiles_blocks  # noqa: PLC0415
    from model.checkpoint.card import read_card  # noqa: PLC0415
    from model.network.attention_kernel import attention_kernels  # noqa: PLC0415
    from model.network.describe import describe as parts_of  # noqa: PLC0415
    from model.network.settings import ModelSettings  # noqa: PLC0415

    card = None if checkpoint is None else read_card(checkpoint.expanduser())
    settings = ModelSettings() if card is None else card.settings
    parts = parts_of(settings)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kernels = attention_kernels(settings, device)
    compiled = compiles_blocks(settings.precision, device)
    total = sum(part.parameters for part in parts)
    if as_json:
        backbone = None if card is None else card.backbone
        print_json(
            {
                "backbone": backbone,
                "settings": settings,
                "parameters": total,
                "parts": parts,
                "attention": kernels,
                "compiled_blocks": compiled,
            }
        )
        return
    print_table(
        f"{total:,} parameters; B challenges"
        + ("" if card is None else f", on features of {card.backbone}"),
        ("part", "input", "output", "parameters"),
        [(part.name, part.input_shape, part.output_shape, part.parameters) for part in parts],
    )
    say(
        f"attention in {settings.precision} on {kernels.device}: {kernels.all_seen} where all "
        f"views are seen, {kernels.masked} where some are masked; the backbone's "
        f"blocks are {'compiled' if compiled else 'not compiled'}"
    )
