"""An export's README: how a miner runs it, and what is known of how good it is."""

from collections.abc import Iterator

from model.export.card import DETECTOR, NETWORK, ExportCard
from model.export.command_line_name import CARD
from model.export.detector import CONFIG, NAME
from replay.candidates.predictor import TRAINING_ROWS


def readme_content(name: str, card: ExportCard) -> bytes:
    """The README as the bytes of its file.

    Args:
        name: what the model is called.
        card: of the export.
    """
    sections = (
        _head(name),
        _to_run(),
        _network(card),
        _scores(card),
        _training(card),
        _files(card),
    )
    return "\n".join(line for section in sections for line in section).encode()


def _head(name: str) -> Iterator[str]:
    yield f"# {name}"
    yield ""
    yield "A roadwork detector for StreetVision (SN72), exported by StreetReplay. It looks at the"
    yield "image alone: no metadata goes in."
    yield ""


def _to_run() -> Iterator[str]:
    detectors = "base_miner/detectors"
    yield "## To run it in the public miner"
    yield ""
    yield "It needs onnxruntime, numpy, Pillow and PyYAML. In the miner's checkout:"
    yield ""
    yield f"1. copy `{DETECTOR}` into `{detectors}/`,"
    yield f"2. copy `{CONFIG}` and `{NETWORK}` into `{detectors}/configs/`,"
    yield f"3. add `from . import {DETECTOR.removesuffix('.py')}` to `{detectors}/__init__.py`,"
    yield f"4. name the detector `{NAME}` and the configuration `{CONFIG}` in `miner.env`."
    yield ""
    yield "The detector refuses a network of another SHA-256 than its configuration names."
    yield ""


def _network(card: ExportCard) -> Iterator[str]:
    network, agreement, latency = card.network, card.agreement, card.latency
    yield "## The network"
    yield ""
    yield f"- `{NETWORK}`: ONNX opset {network['opset']}, {network['bytes']:,} bytes, float32"
    yield f"- in: `pixels`, {network['pixels']}; views, resizing and normalisation are inside"
    yield f"- out: `probability`, {network['probability']}; `gates`, {network['gates']}"
    yield f"- threshold: a shift of {card.threshold['shift']:+.4f} is in the logit, for validators"
    yield f"  round at 0.5 ({card.threshold['why']})"
    yield f"- checked on {agreement['images']} drawn pictures of many sizes, 1 x 1 among them: a"
    yield f"  probability differs from the checkpoint's by at most {agreement['probability']:.1e}"
    yield f"  (bound {agreement['bound']:g}), a logit by {agreement['logit']:.1e}"
    times = ", ".join(f"{seconds:.3f} s for {size}" for size, seconds in latency["seconds"].items())
    yield f"- an answer took {times} (median of {latency['repeats']}, JPEG decoding included) on"
    yield f"  {latency['processor']}, {latency['cores']} cores; a validator waits"
    yield f"  {latency['timeout']:g} s"
    yield ""


def _scores(card: ExportCard) -> Iterator[str]:
    yield "## How good it is"
    yield ""
    yield from _validation(card)
    if card.comparison is None:
        yield "- It was not compared with miners: no replay of this checkpoint was given."
    else:
        yield from _compared(card)
    yield ""


def _validation(card: ExportCard) -> Iterator[str]:
    validation = card.checkpoint["validation"]
    if validation is None:
        note = card.checkpoint["note"] or "the checkpoint has no score"
        yield f"- Validation MCC: none ({note})."
        return
    yield f"- Validation MCC {validation['mcc']:.3f} on n = {validation['n']} images; slightly"
    yield "  optimistic, as the epoch was chosen on them."
    if card.checkpoint["metadata"]:
        yield "  It was computed with metadata, in which a description reveals the label: it says"
        yield "  nothing of this network, which is image-only."


def _compared(card: ExportCard) -> Iterator[str]:
    compared = card.comparison
    assert compared is not None  # noqa: S101  (the caller looked)
    mcc = f"{compared['mcc']:.3f}"
    if compared["mcc_interval"] is not None:
        low, high = compared["mcc_interval"]
        mcc += f" ({compared['level']:.0%} interval {low:+.2f} to {high:+.2f})"
    yield f"- On logged challenges ({compared['run_id']}, image-only, before the shift):"
    yield f"  MCC {mcc}, accuracy {compared['accuracy']:.3f}, AUC {compared['auc']:.3f},"
    yield f"  n = {compared['n']} of {compared['images']} source images ({compared['exact']} exact,"
    yield f"  {compared['distributions']} as the mean over possible images)."
    rank = compared["ranks"]["mcc"]
    yield f"- Rank by MCC among the logged miners: {rank['rank']} of {rank['of']} (interval"
    yield f"  {rank['best']} to {rank['worst']})."
    left_out = ", ".join(f"{reason} {n}" for reason, n in compared["left_out"].items()) or "none"
    yield f"- Challenges left out: {left_out}."
    if not compared["overlap_checked"]:
        yield "- Not checked whether it was trained on these challenges."


def _training(card: ExportCard) -> Iterator[str]:
    checkpoint = card.checkpoint
    rows = checkpoint["training_rows"]
    yield "## What it is"
    yield ""
    yield f"- checkpoint `{checkpoint['name']}`, weights' SHA-256 `{checkpoint['sha256']}`"
    yield f"- backbone {checkpoint['backbone']}, trained: {checkpoint['backbone_trained']};"
    yield f"  computed in {checkpoint['precision']} there, in float32 here"
    known = "an unknown number of" if rows is None else rows
    yield f"- training {checkpoint['run_id'] or 'unknown'}, on {known} rows"
    if checkpoint["metadata"]:
        yield "- it was trained with metadata too, and answers here as it does without any"
    yield ""


def _files(card: ExportCard) -> Iterator[str]:
    yield "## Files"
    yield ""
    yield f"`{CARD}` has all of this for programs. SHA-256 of the others:"
    yield ""
    for name, digest in card.files.items():
        yield f"- `{name}` `{digest}`"
    if TRAINING_ROWS in card.files:
        yield ""
        yield f"`{TRAINING_ROWS}` names the rows of the public data set that it has seen, so that"
        yield "`streetreplay compare` leaves them out; a miner does not need it."
    yield ""
