"""The sentence that the page Retraining begins with."""

from data.background.process import RUNNING, State
from data.text import printable
from model.retraining.background import BackgroundRetraining, Mode
from model.retraining.decide import judged_drifts
from model.retraining.decision_now import DecisionNow

_STEPS = {
    "decide": "the champion answers the log, and the decision is made",
    "weigh": "source rows are weighed",
    "train": "the challenger is trained",
    "judge": "the challenger answers the log, and the gate judges it",
    "report": "the report is written",
    "end": "it ends",
}
_ENDS = {
    State.DONE: "is done",
    State.FAILED: "failed",
    State.STOPPED: "was stopped, and goes on where it was when it is resumed",
    State.KILLED: "ended without a word, as when it is killed, and goes on where it was when it is "
    "resumed",
}


def decision_sentence(decided: DecisionNow) -> str:
    """Whether a retraining is due, and why or why not."""
    decision = decided.decision
    reasons, hindrances = "; ".join(decision.reasons), "; ".join(decision.hindrances)
    if decision.due:
        return f"A retraining is due because {reasons}."
    if reasons:
        return f"No retraining is due yet, though {reasons}: {hindrances}."
    drifted = "nothing drifted beyond what is tolerated"
    if not judged_drifts(decided.evidence):
        drifted = "no drift can be seen"
    return f"No retraining is due: {'; '.join(part for part in (drifted, hindrances) if part)}."


def basis_sentence(decided: DecisionNow) -> str:
    """What the decision rests on, with the numbers of what was used and left out."""
    run, evidence = decided.run, decided.evidence
    answered = run.challenges - run.unanswered
    replay = f"{run.run_id}, {run.finished:%Y-%m-%d %H:%M} UTC"
    compared = "No challenge carries a time of before and after, so no drift can be seen"
    if evidence.cities is not None:
        compared = (
            f"Images of {evidence.cities.before:,} earlier and {evidence.cities.after:,} later "
            "challenges compared; those without a time are left out"
        )
    return (
        f"{compared}; parted at {decided.since:%Y-%m-%d %H:%M} UTC. The champion answered "
        f"{answered:,} of {run.challenges:,} challenges ({replay}); {run.unanswered:,} are left "
        f"out of that replay. {evidence.new_rows:,} of {decided.rows:,} source rows are new to it."
    )


def work_sentence(last: BackgroundRetraining) -> str:
    """How the retraining that was started last stands."""
    process = last.process
    what = "dry run" if last.request and last.request.mode is Mode.DRY_RUN else "retraining"
    since = f"started {process.started:%Y-%m-%d %H:%M:%S} UTC"
    state = process.state
    if state in RUNNING:
        stopping = ", and is being stopped" if state is State.STOPPING else ""
        return f"Running: step {last.step}, {_STEPS[last.step]} ({what} {since}{stopping})."
    ended = process.ended
    when = "" if ended is None else f", ended {ended:%H:%M:%S} UTC"
    status = "" if process.status is None else f", exit status {process.status}"
    return f"The {what} {_ENDS[state]} ({since}{when}{status})."


def report_sentences(last: BackgroundRetraining) -> list[str]:
    """What the one that is done found, as text for a person; empty if it is not done."""
    report = last.report
    if report is None:
        return []
    decision, verdict = report.get("decision") or {}, report.get("verdict") or {}
    due = "A retraining is due" if decision.get("due") else "No retraining is due"
    reasons = [*decision.get("reasons", []), *decision.get("hindrances", [])]
    said = [f"{due}: {'; '.join(map(str, reasons)) or 'nothing drifted'}."]
    if report.get("power"):
        said.append(f"The gate: {report['power']}.")
    if verdict:
        promoted = "was promoted" if report.get("promoted") else "was refused"
        said.append(f"The challenger {promoted}: {'; '.join(map(str, verdict['reasons']))}.")
    return [printable(sentence, 2000) for sentence in said]
