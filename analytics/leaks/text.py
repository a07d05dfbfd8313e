"""Label leaks and overlap with training rows as printed tables."""

from analytics.comparison.intervals import Interval
from analytics.leaks.null_leak import ANY_KIND, NullLeak
from analytics.leaks.training_overlap import OverlapCounts
from data.terminal import note, print_table, say


def print_leaks(leaks: list[NullLeak]) -> None:
    """Print the leak of every field over all challenges, then by era and source."""
    groups: dict[tuple[str | None, str | None], list[NullLeak]] = {}
    for leak in leaks:
        # by era only and by source only are in --json: with one era or source they say the same
        if leak.kind == ANY_KIND and (leak.era is None) == (leak.source is None):
            groups.setdefault((leak.era, leak.source), []).append(leak)
    for (era, source), leaks_of_group in groups.items():
        ordered = sorted(leaks_of_group, key=lambda leak: -leak.bits)
        where = f"{era}, {source}" if era else "all challenges"
        print_table(
            f"{where}: how well NULL-ness of a field predicts the label "
            f"(the label itself: {ordered[0].label_bits:.3f} bits)",
            ("field", "n", "left out", "images", "NULL", "MCC", "MCC 95%", "bits", "bits 95%"),
            [_leak_row(leak) for leak in ordered],
        )
        if ordered[0].mcc is None:
            note(f"{where}: one label only, so nothing predicts it and there is no MCC")


def _leak_row(leak: NullLeak) -> tuple[object, ...]:
    return (
        leak.field,
        leak.n,
        leak.left_out,
        leak.images,
        leak.nulls,
        leak.mcc,
        _ends(leak.mcc_interval),
        leak.bits,
        _ends(leak.bits_interval),
    )


def _ends(interval: Interval | None) -> str | None:
    return None if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def print_overlap(counts: OverlapCounts) -> None:
    """Print how many challenges a model was trained on, by kind of overlap."""
    say(
        f"{counts.overlapping} of {counts.challenges} challenges overlap with "
        f"{counts.training_rows} training rows"
    )
    columns = ("overlap", "challenges", "of those that say", "in the training file")
    within = f"GPS within {counts.metres:g} m"
    print_table(
        "overlap with training rows",
        columns,
        [
            ("row", counts.by_row, counts.with_row, counts.training_rows),
            ("video id", counts.by_video, counts.with_video, counts.training_videos),
            (within, counts.by_gps, counts.with_gps, counts.training_places),
        ],
    )
