"""The command `export`: a checkpoint as the files that a miner runs."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import RunError
from data.remote_store.named_folder import named_folder
from data.remote_store.opening import open_store
from data.store import Store
from data.terminal import JsonOption, StoreOption, note, print_json, say
from data.terminal_progress import progress
from model.champion.command_line_name import NAME

if TYPE_CHECKING:
    from model.export.card import ExportCard
    from model.export.export import ExportReport

app = typer.Typer()

# As `model.export.onnx_file.OPSET`, which imports torch.
_OPSET = 20

CheckpointArgument = Annotated[
    str,
    typer.Argument(
        metavar="CHECKPOINT", help="A checkpoint's folder, or champion: the store's champion."
    ),
]
OutOption = Annotated[Path, typer.Option("--out", help="Folder of the export: new, or empty.")]
ThresholdFromOption = Annotated[
    str | None,
    typer.Option(
        "--threshold-from",
        metavar="RUN",
        help="Move the threshold that `compare` finds on the earlier part of this replay of the "
        "checkpoint (an id, or latest) into the logit [default: the newest one, if there is any]; "
        "left out where it lost reward on the later part.",
    ),
]
ShiftOption = Annotated[
    float | None,
    typer.Option("--shift", help="Add this to the logit instead of a run's threshold; 0: nothing."),
]
OpsetOption = Annotated[
    int, typer.Option("--opset", min=1, help="Version of ONNX's operators to write.")
]


@app.command(epilog="Example: streetreplay export champion --out out/miner")
def export(
    checkpoint: CheckpointArgument,
    out: OutOption,
    threshold_from: ThresholdFromOption = None,
    shift: ShiftOption = None,
    opset: OpsetOption = _OPSET,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a checkpoint as what a StreetVision miner runs: network, detector, YAML, model card.

    The network is one ONNX file: views, normalisation and threshold are in it, decoded pixels of
    any size go in, a probability comes out. It is image-only, also where the checkpoint was trained
    with metadata, computes in float32, and is held against the checkpoint before anything is
    written. `replay --model DIR` answers with the very files that a miner runs.
    """
    from model.export.export import ExportSettings  # noqa: PLC0415
    from model.export.export import export as write_export  # noqa: PLC0415
    from model.export.threshold import ThresholdRequest  # noqa: PLC0415

    settings = ExportSettings(ThresholdRequest(threshold_from, shift), opset=opset)
    opened = open_store(store)
    folder = _folder(checkpoint, opened)
    report = write_export(opened, folder, named_folder(opened, out), settings, progress=progress)
    _warn_of_time_out(report.card)
    if as_json:
        print_json(asdict(report), indent=1)
    else:
        _print_report(report)


def _folder(name: str, store: Store) -> Path:
    """The checkpoint's folder that a name means.

    Raises:
        RunError: the store has no champion, or its folder was removed or altered.
        StoreError: the name is the URL of another store.
    """
    from model.champion.champion import champion  # noqa: PLC0415

    if name != NAME:
        return named_folder(store, Path(name))
    present = champion(store)
    if present is None:
        raise RunError(
            f"champion of {store}",
            found="none",
            expected="one to export",
            remedy="name one: `streetreplay champion set FOLDER`, or export a folder",
        )
    return present.folder


def _warn_of_time_out(card: "ExportCard") -> None:
    slow = [
        f"{seconds:.1f} s for {size}"
        for size, seconds in card.latency["seconds"].items()
        if seconds > card.latency["timeout"]
    ]
    if slow:
        note(
            f"too slow for a miner here: {', '.join(slow)}; a validator waits "
            f"{card.latency['timeout']:g} s",
            style="yellow",
        )


def _print_report(report: "ExportReport") -> None:
    card = report.card
    network, agreement, latency = card.network, card.agreement, card.latency
    say(
        f"{card.checkpoint['name']} on {card.checkpoint['backbone']}, image-only, in {report.out}: "
        f"ONNX opset {network['opset']}, {network['bytes']:,} bytes"
    )
    say(f"threshold: a shift of {card.threshold['shift']:+.4f}; {card.threshold['why']}")
    say(
        f"on {agreement['images']} drawn pictures its probabilities differ from the checkpoint's "
        f"by at most {agreement['probability']:.1e} (bound {agreement['bound']:g})"
    )
    times = ", ".join(f"{seconds:.3f} s for {size}" for size, seconds in latency["seconds"].items())
    say(
        f"an answer takes {times} (median of {latency['repeats']}, decoding included, "
        f"{latency['processor']}, {latency['cores']} cores); a validator waits "
        f"{latency['timeout']:g} s"
    )
    say(f"README.md says how a miner runs it; streetreplay replay --model {report.out} scores it")
