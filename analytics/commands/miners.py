"""Commands about the logged miners, and about what leaks the label or the training set."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analytics.lives.options import LogRunOption, ValidatorOption
from data.atomic_files import atomic_file
from data.remote_store.opening import open_store
from data.terminal import JsonOption, StoreOption, note, print_json

if TYPE_CHECKING:
    import polars as pl

    from analytics.leaks.null_leak import NullLeak
    from analytics.leaks.training_overlap import OverlapCounts
    from analytics.miners.report import MinerReport

app = typer.Typer()

_HARDEST = 15


@app.command(epilog="Example: streetreplay miners --difficulties difficulties.parquet")
def miners(
    difficulties: Annotated[
        Path | None,
        typer.Option(
            "--difficulties", help="Write every challenge's difficulty here, .parquet or .csv."
        ),
    ] = None,
    validator: ValidatorOption = None,
    log_run: LogRunOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report on the logged miners: clones, habits, memory, abilities, and doubtful labels.

    A miner is a (uid, hotkey) pair. Clones answer alike beyond chance; miners suspected of
    memorising images are near perfect only on those that they were asked before; abilities and
    difficulties are of a two-parameter item-response model, with standard errors; doubtful labels
    are those that able miners contradict. Where several validators' logs are in the store, first
    answers, periods and tenures are counted within each one's life. A report on every validator is
    kept in the store, for the dashboards.
    """
    if difficulties is not None and difficulties.suffix not in (".parquet", ".csv"):
        raise typer.BadParameter("expected NAME.parquet or NAME.csv", param_hint="--difficulties")
    from analytics.lives.order import EVERYONE, Choice  # noqa: PLC0415
    from analytics.miners.kept_estimates import estimates_basis, keep_estimates  # noqa: PLC0415
    from analytics.miners.report import miner_report  # noqa: PLC0415
    from analytics.miners.text import print_report  # noqa: PLC0415
    from analytics.standings.together import keep_together, miners_together  # noqa: PLC0415
    from analytics.warehouse.connection import reading  # noqa: PLC0415

    choice, opened = Choice(validator, log_run), open_store(store)
    with reading(opened) as connection:
        report = miner_report(connection, choice)
        if choice == EVERYONE:
            keep_estimates(opened, report, estimates_basis(connection))
            keep_together(opened, miners_together(connection, report))
    if difficulties is not None:
        _write_difficulties(report, difficulties)
    if as_json:
        print_json(_report_json(report))
    else:
        print_report(report)


def _write_difficulties(report: "MinerReport", path: Path) -> None:
    if report.model is None:
        note(f"no difficulties to write: {report.no_model}")
        return
    with atomic_file(path) as temporary:
        if path.suffix == ".csv":
            report.model.challenges.write_csv(temporary)
        else:
            report.model.challenges.write_parquet(temporary)
    note(f"{report.model.challenges.height} difficulties in {path}")


def _report_json(report: "MinerReport") -> dict[str, Any]:
    from analytics.miners.report import hardest  # noqa: PLC0415

    value = {name: part for name, part in vars(report).items() if name != "model"}
    model = report.model
    value["model"] = None
    if model is not None:
        value["model"] = {
            **{name: part for name, part in vars(model).items() if name != "challenges"},
            "hardest": hardest(model, _HARDEST).to_dicts(),
        }
    return value


@app.command(epilog="Example: streetreplay leaks --trained-on training_rows.parquet")
def leaks(
    trained_on: Annotated[
        Path | None,
        typer.Option(
            "--trained-on",
            help="Rows that a model was trained on: Parquet or CSV with columns parquet and row, "
            "optionally vid_id, gps_lat and gps_lon (or gps).",
        ),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report what gives the label away, and which challenges a model was trained on.

    How well it predicts the label that a metadata field is NULL, by era and source: MCC (of "holds
    a value: roadwork") and mutual information in bits, with intervals over source images. And the
    overlap of challenges with training rows: by row, by video, by GPS within 100 m.
    """
    from analytics.leaks.null_leak import null_leaks  # noqa: PLC0415
    from analytics.leaks.text import print_leaks, print_overlap  # noqa: PLC0415
    from analytics.leaks.training_overlap import (  # noqa: PLC0415
        challenge_overlap,
        overlap_counts,
    )
    from analytics.leaks.training_rows import read_training_rows  # noqa: PLC0415
    from analytics.warehouse.connection import reading  # noqa: PLC0415

    training = None if trained_on is None else read_training_rows(trained_on)
    with reading(open_store(store)) as connection:
        null = null_leaks(connection)
        overlap = None if training is None else challenge_overlap(connection, training)
    counts = None if training is None or overlap is None else overlap_counts(overlap, training)
    if as_json:
        print_json(_leaks_json(null, counts, overlap))
        return
    print_leaks(null)
    if counts is not None:
        print_overlap(counts)


def _leaks_json(
    null: list["NullLeak"], counts: "OverlapCounts | None", overlap: "pl.DataFrame | None"
) -> dict[str, Any]:
    value: dict[str, Any] = {"null_leaks": null}
    if counts is not None and overlap is not None:
        hit = overlap.filter("overlaps").drop("overlaps").to_dicts()
        value["overlap"] = asdict(counts) | {"overlapping_challenges": hit}
    return value
