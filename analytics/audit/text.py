"""An audit as text for a person at a terminal."""

from analytics.audit.audit import AuditReport, AuditSettings, Gap
from analytics.audit.sources import SourceCounts
from analytics.lives.text import lives_line
from data.terminal import note, print_table, say

_MISMATCHES_SHOWN, _GAPS_SHOWN = 20, 10


def print_audit(report: AuditReport, settings: AuditSettings) -> None:
    """Print what was checked, what was not and why, what is wrong, and where records lack."""
    checked, unchecked = sum(report.checked.values()), sum(report.unchecked.values())
    say(
        f"{report.challenges} challenges, {report.answers} answers: {checked} numbers checked, "
        f"{unchecked} not checkable, {len(report.mismatches)} wrong"
    )
    say(f"the log of {lives_line(report.lives)}")
    say(_starts(report, settings))
    print_table("checked", ("column", "numbers", "wrong"), _by_column(report))
    if report.unchecked:
        print_table("not checkable", ("reason", "numbers"), list(report.unchecked.items()))
    if report.uncovered_paid:
        say(
            "accuracy over the last ten, from a reward and MCC alone: a fraction of at most ten "
            f"for {report.accuracy_recovered} of the {report.uncovered_paid} paid answers without "
            "a covered window"
        )
    _print_mismatches(report)
    _print_gaps(report.gaps)
    _note_incomplete(report, settings)


def print_sources(counts: SourceCounts) -> None:
    """Print how the two copies of a run's numbers compare, where there is a history."""
    if not (counts.compared or counts.only_in_media or counts.only_in_history):
        return
    say(
        f"Media records against histories: {counts.compared} numbers in both, "
        f"{counts.equal} equal, {counts.differing} differing; {counts.only_in_media} only in a "
        f"Media record, {counts.only_in_history} only in a history"
    )
    if counts.differing:
        note("the relation audit_sources holds the numbers that differ", style="red")


def note_gaps(report: AuditReport, settings: AuditSettings) -> None:
    """Print to standard error the gaps and lives, which the JSON output leaves out."""
    note(f"the log of {lives_line(report.lives)}")
    note(_starts(report, settings))
    for gap in report.gaps[:_GAPS_SHOWN]:
        note(f"before {gap.file}:{gap.position}: {_what(gap)}; {gap.uids} uids may have answered")
    _note_more(len(report.gaps) - _GAPS_SHOWN, "gaps")
    _note_incomplete(report, settings)


def _note_incomplete(report: AuditReport, settings: AuditSettings) -> None:
    if settings.from_start and any(not gap.restart for gap in report.gaps):
        note("the log is not complete: with --from-start right numbers look wrong", style="red")


def _starts(report: AuditReport, settings: AuditSettings) -> str:
    stretches = "stretch" if report.chains == 1 else "stretches"
    if settings.from_start:
        return f"{report.chains} connected {stretches} of log, taken as complete (--from-start)"
    return (
        f"{report.chains} connected {stretches} of log, {report.from_first} from a validator's "
        f"first challenge on; gaps and restarts: {len(report.gaps)}"
    )


def _by_column(report: AuditReport) -> list[tuple[object, ...]]:
    wrong = dict.fromkeys(report.checked, 0)
    for mismatch in report.mismatches:
        wrong[mismatch.column] += 1
    return [(column, count, wrong[column]) for column, count in report.checked.items()]


def _print_mismatches(report: AuditReport) -> None:
    if not report.mismatches:
        return
    print_table(
        "wrong",
        ("file", "position", "slot", "uid", "column", "logged", "expected"),
        [
            (m.file, m.position, m.slot, m.uid, m.column, repr(m.logged), repr(m.expected))
            for m in report.mismatches[:_MISMATCHES_SHOWN]
        ],
    )
    _note_more(len(report.mismatches) - _MISMATCHES_SHOWN, "wrong numbers: --json lists all")


def _print_gaps(gaps: list[Gap]) -> None:
    if not gaps:
        return
    print_table(
        "gaps in the log, inferred from score changes",
        ("before file", "position", "what", "uids that may have answered"),
        [(gap.file, gap.position, _what(gap), gap.uids) for gap in gaps[:_GAPS_SHOWN]],
    )
    _note_more(len(gaps) - _GAPS_SHOWN, "gaps")


def _what(gap: Gap) -> str:
    if gap.restart:
        return "all scores start again at 0"
    return f"at least {gap.missing} record{'' if gap.missing == 1 else 's'} missing"


def _note_more(more: int, of_what: str) -> None:
    if more > 0:
        note(f"{more} more {of_what}")
