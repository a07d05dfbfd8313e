"""A training as text for a person at a terminal."""

from data.terminal import print_table, say
from model.training.train import TrainReport


def print_training(report: TrainReport) -> None:
    """Print what came of a training."""
    best = report.best
    kind = "image-only" if report.image_only else "metadata-fed"
    say(
        f"{report.run_id}: {kind} on {report.backbone}, {report.training} rows, validated on "
        f"{report.validation} (of {report.streets} streets in all, none on both sides)"
    )
    print_table(
        "epochs",
        ("epoch", "loss", "validation loss", "MCC", "images"),
        [(one.epoch, one.loss, one.validation_loss, one.mcc, one.n) for one in report.epochs],
    )
    say(
        f"kept: epoch {best.epoch}, MCC {best.mcc:.3f} on {best.n} validation images; chosen by "
        f"them, so a little flattered. In {report.out}"
    )
    if report.left_out:
        print_table("left out", ("reason", "rows"), list(report.left_out.items()))
