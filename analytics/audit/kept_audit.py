"""What the last audit of a store found, kept in the store for who did not run it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from analytics.audit.audit import AuditReport, AuditSettings
from data.kept_values import keep, read_kept
from data.store import Store

_FILE = "last-audit.json"


@dataclass(frozen=True)
class KeptAudit:
    """An audit in numbers; `made` is in UTC, `contents` the digest of what was audited.

    `alpha` is the weight of the newest reward, and `from_start` whether the log was taken as
    complete, which a person said: with a false one right numbers look wrong.
    Of `challenges`, `checked` numbers were recomputed, `unchecked` could not be, and `wrong` of
    them do not follow from the log. `holes` are gaps in the log, of at least `missing` records
    together; `restarts` began anew with all scores 0. `validators` counts the lives.
    """

    made: datetime
    contents: str
    from_start: bool
    alpha: float
    validators: int
    challenges: int
    checked: int
    unchecked: int
    wrong: int
    holes: int
    missing: int
    restarts: int


def keep_audit(
    store: Store, report: AuditReport, contents: str, settings: AuditSettings
) -> KeptAudit:
    """Keep an audit in place of the last one; not in a store that may only be read."""
    holes = [gap for gap in report.gaps if not gap.restart]
    kept = KeptAudit(
        made=datetime.now(UTC).replace(microsecond=0),
        contents=contents,
        from_start=settings.from_start,
        alpha=settings.scoring.alpha,
        validators=len(report.lives),
        challenges=report.challenges,
        checked=sum(report.checked.values()),
        unchecked=sum(report.unchecked.values()),
        wrong=len(report.mismatches),
        holes=len(holes),
        missing=sum(gap.missing for gap in holes),
        restarts=len(report.gaps) - len(holes),
    )
    keep(store.audits / _FILE, kept)
    return kept


def kept_audit(store: Store) -> KeptAudit | None:
    """The last audit; None without one, or where its file is damaged."""
    return read_kept(store.audits / _FILE, KeptAudit)
