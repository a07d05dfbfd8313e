"""The command `sources`: which source images are here, which a log needs, how to get the rest."""

import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from data.store import open_store
from data.terminal import JsonOption, SourcesOption, StoreOption, print_json, print_table, say

if TYPE_CHECKING:
    from analytics.needed_sources import NeededShard
    from analytics.stored_challenge import StoredChallenge
    from data.sources import Shards

app = typer.Typer()

DATA_SET = "natix-network-org/roadwork"

# Beyond so many missing shards the whole data set is fetched.
_MOST_NAMED = 5
_MB = 1e6


@dataclass(frozen=True)
class FoundShard:
    """A shard in the folder; `rows` is None, and `problem` set, where it cannot be read."""

    name: str
    rows: int | None
    size: int
    problem: str | None = None


@dataclass(frozen=True)
class Coverage:
    """Real challenges that need one shard (None: that name no shard), and what is here of it.

    `rows` are different rows, `available` challenges whose image is here, `missing` the others by
    reason.
    """

    parquet: str | None
    rows: int
    challenges: int
    available: int
    missing: dict[str, int]


@dataclass(frozen=True)
class SourcesReport:
    """What a folder of sources holds, what a log needs, and the commands that fetch the rest.

    `duplicates` are files that an equally named one comes before. `challenges`, `available` and
    `missing` count every challenge of the log, also synthetic ones.
    """

    folder: str
    shards: list[FoundShard]
    cached_images: int
    duplicates: list[str]
    needed: list[Coverage]
    challenges: int
    available: int
    missing: dict[str, int]
    remedy: list[str]


@app.command(epilog="Example: streetreplay sources")
def sources(
    store: StoreOption = None,
    sources: SourcesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which source images are here, which ones the log needs, and how to get the others.

    Sources are shards of the public data set, or images of a validator's cache, also in subfolders.
    Nothing is fetched.
    """
    from analytics.challenges import stored_challenges  # noqa: PLC0415
    from analytics.needed_sources import needed_sources  # noqa: PLC0415
    from analytics.warehouse import reading  # noqa: PLC0415
    from data.sources import open_shards  # noqa: PLC0415

    where = open_store(store)
    with reading(where) as connection:
        needed = needed_sources(connection)
        challenges = stored_challenges(connection)
    shards = open_shards(sources or where.sources, required=sources is not None)
    report = sources_report(needed, challenges, shards)
    if as_json:
        print_json(report, indent=1)
    else:
        _print(report)


def sources_report(
    needed: Iterable["NeededShard"], challenges: Iterable["StoredChallenge"], shards: "Shards"
) -> SourcesReport:
    """Compare what a log needs with what a folder holds; no image is read."""
    from replay.plan import obstacle_of  # noqa: PLC0415

    everything: Counter[str | None] = Counter()
    by_shard: dict[str | None, Counter[str | None]] = {}
    for challenge in challenges:
        obstacle = obstacle_of(challenge, shards)
        reason = None if obstacle is None else str(obstacle[0])
        everything[reason] += 1
        if challenge.source in (None, "real"):
            by_shard.setdefault(challenge.parquet, Counter())[reason] += 1
    coverage = [_coverage(one, by_shard.get(one.parquet, Counter())) for one in needed]
    return SourcesReport(
        folder=str(shards.folder),
        shards=[_found(path, shards) for path in shards.paths],
        cached_images=len(shards.cached),
        duplicates=[str(path) for path in shards.duplicates + shards.cached.duplicates],
        needed=coverage,
        challenges=everything.total(),
        available=everything[None],
        missing=_reasons(everything),
        remedy=_remedy(coverage, shards.folder),
    )


def _coverage(needed: "NeededShard", reasons: Counter[str | None]) -> Coverage:
    return Coverage(
        needed.parquet, needed.rows, needed.challenges, reasons[None], _reasons(reasons)
    )


def _reasons(counted: Counter[str | None]) -> dict[str, int]:
    return {reason: count for reason, count in counted.most_common() if reason is not None}


def _found(path: Path, shards: "Shards") -> FoundShard:
    from data.errors import SourceError  # noqa: PLC0415

    try:
        size = path.stat().st_size
        return FoundShard(path.name, shards[path.name].rows, size)
    except OSError as error:  # such as a link to nothing
        return FoundShard(path.name, None, 0, error.strerror)
    except SourceError as error:
        return FoundShard(path.name, None, size, str(error))


def _remedy(coverage: Iterable[Coverage], folder: Path) -> list[str]:
    from replay.fidelity import Reason  # noqa: PLC0415

    needed = list(coverage)
    commands = []
    if absent := _lacking(needed, Reason.SHARD_MISSING):
        commands.append(fetch_command(absent, folder))
    if other := _lacking(needed, Reason.ROW_MISSING):
        # the data set changes: another commit of it may hold the shard of that day
        commands.append(f"{fetch_command(other, folder)} --revision COMMIT")
    return commands


def _lacking(needed: Iterable[Coverage], reason: str) -> list[str]:
    return [one.parquet for one in needed if one.parquet is not None and reason in one.missing]


def fetch_command(names: list[str], folder: Path) -> str:
    """The command of the Hugging Face client that fetches shards of the public data set.

    The client keeps the data set's subfolder (`data/`), in which shards are found as well.
    """
    patterns = [f"*{name}" for name in names] if len(names) <= _MOST_NAMED else ["*.parquet"]
    include = [word for pattern in patterns for word in ("--include", pattern)]
    words = ["hf", "download", DATA_SET, "--repo-type", "dataset", *include]
    return shlex.join([*words, "--local-dir", str(folder)])


def _print(report: SourcesReport) -> None:
    size = sum(shard.size for shard in report.shards) / _MB
    say(
        f"{report.folder}: {len(report.shards)} shards ({size:.0f} MB), "
        f"{report.cached_images} cached images"
    )
    if report.shards:
        rows = [(one.name, one.rows, round(one.size / _MB), one.problem) for one in report.shards]
        print_table("here", ("shard", "rows", "MB", "problem"), rows)
    if report.duplicates:
        print_table(
            "not used: another file of that name comes first",
            ("file",),
            [(name,) for name in report.duplicates],
        )
    if report.needed:
        print_table(
            "needed by real challenges",
            ("shard", "rows", "challenges", "image here", "not here"),
            [
                (one.parquet, one.rows, one.challenges, one.available, _words(one.missing))
                for one in report.needed
            ],
        )
    say(f"{report.available} of {report.challenges} challenges have a source image here")
    if report.missing:
        say(f"the others: {_words(report.missing)}")
    _print_remedy(report)


def _print_remedy(report: SourcesReport) -> None:
    if not report.remedy:
        return
    say("to fetch what is missing of the public data set (with --dry-run: only its size):")
    for command in report.remedy:
        say(f"  {command}")
    say("or point --sources at a validator's cache, such as ~/.cache/natix/Roadwork/image")


def _words(missing: dict[str, int]) -> str | None:
    return ", ".join(f"{reason} {count}" for reason, count in missing.items()) or None
