"""What of a store needs attention, the most urgent first, each with the place to act."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from analytics.audit.kept_audit import KeptAudit
from analytics.queries.example_queries import example_queries
from analytics.queries.overview import Totals
from analytics.queries.replay_runs import FidelityCount
from analytics.standings.together import MinersTogether
from data.text import printable
from model.retraining.decision_now import DecisionNow
from replay.comparing.results import Comparison
from replay.rebuilding.fidelity import Reason

_REJECTS = "What could not be read, and why"
_FALSE_SIGNATURES = "Runs that name a hotkey which did not sign them"


@dataclass(frozen=True)
class Notice:
    """Something to look at: what, in plain text; where, a page with its parameters; what to run."""

    what: str
    page: str | None = None
    name: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    command: str | None = None


@dataclass(frozen=True)
class Standing:
    """What is known of a store; None where nothing is."""

    totals: Totals
    audit: KeptAudit | None
    audit_is_current: bool
    coverage: Sequence[FidelityCount]
    compared: Comparison | None
    together: MinersTogether | None
    decision: DecisionNow | None


def notices(standing: Standing) -> list[Notice]:
    """What needs attention: wrong numbers and losses first, then what can be gained."""
    return [
        *_of_the_log(standing.totals, standing.audit, current=standing.audit_is_current),
        *_of_the_sources(standing.coverage),
        *_of_the_candidate(standing.compared),
        *_of_the_champion(standing.decision),
        *_of_the_miners(standing.together),
    ]


def _of_the_log(totals: Totals, audit: KeptAudit | None, *, current: bool) -> Iterator[Notice]:
    if totals.false_signatures:
        yield Notice(
            f"{totals.false_signatures:,} W&B runs name a hotkey that did not sign them: whose "
            "numbers they hold is unknown.",
            "sql",
            "Look at these runs",
            {"sql": example_queries()[_FALSE_SIGNATURES]},
        )
    if audit is not None and audit.wrong:
        yield Notice(
            f"{audit.wrong:,} logged numbers do not follow from the log by the validator's rules, "
            f"with the weight {audit.alpha:g} of the newest reward.",
            command="streetreplay audit",
        )
    rejects = totals.records_rejected + totals.values_rejected
    if rejects:
        yield Notice(
            f"{totals.records_rejected:,} records and {totals.values_rejected:,} values could not "
            "be read.",
            "sql",
            "Look at the rejects",
            {"sql": example_queries()[_REJECTS]},
        )
    if audit is not None and audit.holes:
        yield Notice(
            f"The log has {audit.holes:,} holes of at least {audit.missing:,} challenges together: "
            "numbers of miners rest on less than the validator saw.",
            command="streetreplay audit",
        )
    if audit is None:
        yield Notice("The log was never audited.", command="streetreplay audit")
    elif not current:
        yield Notice("The log has changed since the last audit.", command="streetreplay audit")


def _of_the_sources(coverage: Sequence[FidelityCount]) -> Iterator[Notice]:
    missing = sum(one.challenges for one in coverage if one.reason == Reason.SHARD_MISSING)
    if missing:
        total = sum(one.challenges for one in coverage)
        yield Notice(
            f"{missing:,} of {total:,} challenges have no image, as their source shard is not "
            "here: they count in no result.",
            command="streetreplay sources",
        )


def _of_the_candidate(compared: Comparison | None) -> Iterator[Notice]:
    if compared is None:
        return
    for baseline in compared.baselines:
        interval = baseline.differences["mcc"].interval
        if interval is not None and interval[1] < 0:
            yield Notice(
                f"The candidate's MCC is below that of the {baseline.name} by more than chance "
                f"({interval[0]:+.2f} to {interval[1]:+.2f}).",
                "comparison",
                "Compare",
                {"run": compared.run_id},
            )
            break
    worst = next((part for part in compared.slices if not part.small), None)
    if worst is not None and worst.cost_interval is not None and worst.cost_interval[0] > 0:
        yield Notice(
            f"The candidate loses most reward where {worst.field} is "
            f"{printable(worst.value, 60)} ({worst.cost:.3f}, n {worst.n:,}).",
            "comparison",
            "See the slices",
            {"run": compared.run_id, "slices_by": worst.field},
        )
    shift = compared.shift
    if shift is not None and shift.interval is not None and shift.interval[0] > 0:
        yield Notice(
            f"Another threshold ({shift.threshold:.2f}) would have earned {shift.difference:+.3f} "
            "of mean reward on the later part of the log.",
            command="streetreplay export",
        )
    if not compared.overlap_checked:
        yield Notice(
            "It is not known whether the candidate was trained on these challenges: its run keeps "
            "no training rows.",
            command=f"streetreplay compare {compared.run_id} --trained-on FILE",
        )


def _of_the_champion(decision: DecisionNow | None) -> Iterator[Notice]:
    if decision is None or not decision.decision.reasons:
        return
    due, reasons = decision.decision.due, "; ".join(decision.decision.reasons)
    if due:
        yield Notice(f"A retraining is due: {reasons}.", "retraining", "Retrain")
    else:
        hindrances = "; ".join(decision.decision.hindrances)
        yield Notice(
            f"The log drifted, though no retraining is due yet: {reasons}; {hindrances}.",
            "retraining",
            "See the drift",
        )


def _of_the_miners(together: MinersTogether | None) -> Iterator[Notice]:
    if together is None:
        return
    suspects = sum(test.suspect for test in together.memorisation.tests)
    if suspects:
        yield Notice(
            f"{suspects:,} of {len(together.memorisation.tests):,} miners tested are suspected to "
            "look up images that they were sent before.",
            "miners",
            "See the suspects",
        )
