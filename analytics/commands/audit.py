"""The command that audits a validator's log; it imports no torch."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from analytics.lives.options import LogRunOption, ValidatorOption
from data.remote_store.opening import open_store
from data.terminal import JsonOption, StoreOption, print_json
from data.terminal_progress import progress

if TYPE_CHECKING:
    from analytics.lives.order import Choice, Life

app = typer.Typer()


@app.command(epilog="Example: streetreplay audit --from-start")
def audit(
    from_start: Annotated[
        bool,
        typer.Option(
            "--from-start",
            help="The log is complete from the validator's first challenge: check everything.",
        ),
    ] = False,
    alpha: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="The operator's weight of the newest reward."),
    ] = 0.05,
    validator: ValidatorOption = None,
    log_run: LogRunOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Recompute every logged metric, reward and score from predictions, labels and hotkeys.

    Metrics and rewards are checked where the log holds a miner's whole window: from its hundredth
    answer after a gap in the log, or from a start that the first numbers prove. Gaps, and the order
    of files, are inferred from the scores; several validators are audited apart. With --json:
    checked by column, unchecked by reason, every mismatch, and how the two copies of each number
    that a W&B run holds compare (relation audit_sources: its Media records, its history). Exit
    status 1 when a number is wrong or two copies differ.
    What an audit of every validator found is kept in the store, for the dashboards.
    """
    from analytics.audit.audit import AuditSettings, audit_lives  # noqa: PLC0415
    from analytics.audit.kept_audit import keep_audit  # noqa: PLC0415
    from analytics.audit.sources import source_counts  # noqa: PLC0415
    from analytics.audit.text import note_gaps, print_audit, print_sources  # noqa: PLC0415
    from analytics.lives.order import EVERYONE, Choice, put_in_order  # noqa: PLC0415
    from analytics.scoring.tracker import ScoringSettings  # noqa: PLC0415
    from analytics.warehouse.connection import reading  # noqa: PLC0415
    from analytics.warehouse.contents import contents_digest  # noqa: PLC0415

    settings = AuditSettings(from_start=from_start, scoring=ScoringSettings(alpha=alpha))
    choice, opened = Choice(validator, log_run), open_store(store)
    with reading(opened) as connection:
        contents = contents_digest(connection)
        lives = put_in_order(connection, choice, settings.scoring)
        total = 2 * sum(life.challenges for life in lives)
        with progress("auditing, two passes over the records", total) as on_progress:
            report = audit_lives(connection, lives, settings, on_progress)
        sources = source_counts(connection, _runs(choice, lives))
    if choice == EVERYONE:
        keep_audit(opened, report, contents, settings)
    if as_json:
        keys = ("checked", "unchecked", "mismatches")
        print_json({key: getattr(report, key) for key in keys} | {"sources": asdict(sources)})
        note_gaps(report, settings)
    else:
        print_audit(report, settings)
        print_sources(sources)
    if report.mismatches or sources.differing:
        raise typer.Exit(1)


def _runs(choice: "Choice", lives: "list[Life]") -> list[str] | None:
    """The ids of the chosen runs; None: all."""
    if choice.run is not None:
        return [choice.run]
    return None if choice.validator is None else [run for life in lives for run in life.runs]
