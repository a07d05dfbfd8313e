"""The command that audits a validator's log; it imports no torch."""

from typing import Annotated

import typer

from data.store import open_store
from data.terminal import JsonOption, StoreOption, print_json, progress

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
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Recompute every logged metric, reward and score from predictions, labels and hotkeys.

    Metrics and rewards are checked where the log holds a miner's whole window: from its hundredth
    answer since a hole, or from a start that the first numbers prove. Scores show the holes. With
    --json: checked by column, unchecked by reason, and every mismatch. Exit status 1 when there is
    one.
    """
    from analytics.audit import AuditSettings  # noqa: PLC0415
    from analytics.audit import audit as run_audit  # noqa: PLC0415
    from analytics.audit_log import extent  # noqa: PLC0415
    from analytics.audit_text import note_gaps, print_audit  # noqa: PLC0415
    from analytics.tracker import ScoringSettings  # noqa: PLC0415
    from analytics.warehouse import reading  # noqa: PLC0415

    settings = AuditSettings(from_start=from_start, scoring=ScoringSettings(alpha=alpha))
    with reading(open_store(store)) as connection:
        total = 2 * extent(connection).challenges
        with progress("auditing, two passes over the records", total) as tell:
            report = run_audit(connection, settings, tell)
    if as_json:
        keys = ("checked", "unchecked", "mismatches")
        print_json({key: getattr(report, key) for key in keys})
        note_gaps(report, settings)
    else:
        print_audit(report, settings)
    if report.mismatches:
        raise typer.Exit(1)
