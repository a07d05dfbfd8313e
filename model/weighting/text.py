"""Sample weights as text for a person at a terminal."""

from data.terminal import print_table, say
from model.weighting.draws import DrawShares
from model.weighting.report import WeightsReport
from model.weighting.targets import Place

_SHOWN = 15


def print_weights(report: WeightsReport) -> None:
    """Print the policy, where the targets are, the factors, and what they make of the draws."""
    _print_policy(report)
    if report.places:
        _print_places(report.places)
    if report.slices:
        _print_slices(report)
    print_table(
        f"factors of {report.rows} source rows",
        ("factor", "least", "mean", "most", "rows not at 1", "why none"),
        [(f.name, f.least, f.mean, f.most, f.rows, f.reason) for f in report.factors],
    )
    if report.left_out:
        print_table("left out, without a weight", ("reason", "rows"), list(report.left_out.items()))
    say(
        f"weights {report.least:.3g} to {report.most:.3g}, mean 1 ({report.raised} raised and "
        f"{report.lowered} lowered to the policy's limits); effective sample size "
        f"{report.effective:.0f} of {report.rows} rows, {report.without_gps} of them without GPS"
    )
    say(_draws_line(report.draws))
    if report.run_id is not None:
        say(f"slices and gates are those of {report.run_id}")
    say(f"in {report.out} and the relation sample_weights")


def _print_policy(report: WeightsReport) -> None:
    for name, values in report.policy.items():
        shown = ", ".join(f"{key} {_shown(value)}" for key, value in values.items())
        say(f"policy [{name}] {shown}")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(list(value))  # type: ignore[call-overload]


def _print_places(places: list[Place]) -> None:
    targets = sum(place.is_target for place in places)
    print_table(
        f"{targets} targets among {len(places)} places",
        ("place", "target", "share of the log", "surely at least", "share of rows"),
        [
            (
                place.name,
                "yes" if place.is_target else "no",
                place.log_share,
                place.log_low,
                place.row_share,
            )
            for place in sorted(places, key=lambda place: (not place.is_target, place.name))
        ],
    )


def _print_slices(report: WeightsReport) -> None:
    print_table(
        "where the candidate surely loses more reward than elsewhere",
        ("field", "value", "answers", "more reward lost an answer", "factor"),
        [
            (row["field"], row["value"], row["n"], row["loss"], row["factor"])
            for row in report.slices[:_SHOWN]
        ],
    )


def _draws_line(draws: DrawShares | None) -> str:
    if draws is None:
        return "no target place: draws are where the rows are"
    reached = "reached" if draws.reaches_aim else "not reached"
    return (
        f"within {draws.km:g} km of a target: {draws.near_rows} of {draws.rows} rows, so "
        f"{draws.before:.1%} of draws before, {draws.after:.1%} after (counted on {draws.draws} "
        f"draws of the sampler of `train`; the aim of {draws.aim:.0%} is {reached})"
    )
