"""The command `sources`: which source images are here, which a log needs, how to get the rest."""

import shlex
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from data.remote_store.opening import open_store
from data.terminal import JsonOption, SourcesOption, StoreOption, print_json, print_table, say
from data.text import printable

if TYPE_CHECKING:
    from analytics.queries.needed_sources import NeededShard
    from data.records.stored_challenges import StoredChallenges
    from data.sources.shards import Shards
    from data.sources.source_path import SourcePath

app = typer.Typer()

DATA_SET = "natix-network-org/roadwork"

# Beyond so many missing shards the whole data set is fetched.
_MOST_NAMED = 5
_MB = 1e6
# The folder that shards are fetched to where --sources is a server's.
_FETCHED = "roadwork"


@dataclass(frozen=True)
class ShardHere:
    """A shard in the folder; `rows` is None, and `problem` set, where it cannot be read.

    `file` is its path within the folder: several may have one `name`.
    """

    name: str
    file: str
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

    `duplicates` are files that are used only where they fit a record better than an equally named
    one, `unfinished` downloads that were cut off, `unreadable` folders that may not be looked into.
    `challenges`, `available` and `missing` count every challenge of the log, also synthetic ones.
    """

    folder: str
    shards: list[ShardHere]
    cached_images: int
    duplicates: list[str]
    unfinished: list[str]
    unreadable: list[str]
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
    from analytics.queries.challenges import stored_challenges  # noqa: PLC0415
    from analytics.queries.needed_sources import needed_sources  # noqa: PLC0415
    from analytics.warehouse.connection import reading  # noqa: PLC0415
    from data.sources.shards import open_shards  # noqa: PLC0415

    opened = open_store(store)
    with reading(opened) as connection:
        needed = needed_sources(connection)
        challenges = stored_challenges(connection, ordered=False)
    shards = open_shards(sources or opened.sources_place, required=sources is not None)
    report = sources_report(needed, challenges, shards)
    if as_json:
        print_json(report, indent=1)
    else:
        _print(report)


def sources_report(
    needed: Iterable["NeededShard"], challenges: "StoredChallenges", shards: "Shards"
) -> SourcesReport:
    """Compare what a log needs with what a folder holds.

    Every shard is opened and its first row read; of the cached images, those that the log needs.
    """
    from replay.plans.obstacles import count_by_source  # noqa: PLC0415
    from replay.rebuilding.fidelity import Reason  # noqa: PLC0415

    # before obstacles are asked for: a shard that fails here is then an obstacle
    here = [_shard_here(path, shards) for name in shards.names for path in shards.files(name)]
    readable: dict[tuple[str, int], bool] = {}
    all_reasons: Counter[str | None] = Counter()
    by_shard: dict[str | None, Counter[str | None]] = {}
    for same in count_by_source(challenges.columns, shards):
        reason = None if same.obstacle is None else str(same.obstacle.reason)
        if reason is None and not _is_image((same.parquet or "", same.row or 0), shards, readable):
            reason = str(Reason.BYTES)
        all_reasons[reason] += same.challenges
        if same.source in (None, "real"):
            by_shard.setdefault(same.parquet, Counter())[reason] += same.challenges
    coverage = [_coverage(shard, by_shard.get(shard.parquet, Counter())) for shard in needed]
    return SourcesReport(
        folder=str(shards.folder),
        shards=here,
        cached_images=len(shards.cached),
        duplicates=[str(path) for path in shards.duplicates],
        unfinished=[str(path) for path in shards.unfinished],
        unreadable=[str(path) for path in shards.unreadable],
        needed=coverage,
        challenges=all_reasons.total(),
        available=all_reasons[None],
        missing=_reasons(all_reasons),
        remedy=_remedy(coverage, shards.folder),
    )


def _coverage(needed: "NeededShard", reasons: Counter[str | None]) -> Coverage:
    return Coverage(
        needed.parquet, needed.rows, needed.challenges, reasons[None], _reasons(reasons)
    )


def _reasons(counted: Counter[str | None]) -> dict[str, int]:
    return {reason: count for reason, count in counted.most_common() if reason is not None}


def _shard_here(path: "SourcePath", shards: "Shards") -> ShardHere:
    from data.errors import SourceError  # noqa: PLC0415
    from data.sources.source_path import file_size, name_below  # noqa: PLC0415

    file, size = name_below(shards.folder, path), file_size(path)
    try:
        return ShardHere(path.name, file, shards.check(path).rows, size)
    except SourceError as error:
        return ShardHere(path.name, file, None, size, str(error))


def _is_image(
    source: tuple[str, int], shards: "Shards", readable: dict[tuple[str, int], bool]
) -> bool:
    """False if the image is in a cache but cannot be opened; shards were opened before."""
    from data.errors import SourceError  # noqa: PLC0415
    from data.sources.cached_image import image_size  # noqa: PLC0415

    if source not in shards.cached:
        return True
    if source not in readable:
        readable[source] = False
        for location in shards.locations(*source):
            with suppress(SourceError):
                image_size(shards.read_at(location).image)
                readable[source] = True
    return readable[source]


def _remedy(coverage: Iterable[Coverage], sources: "SourcePath") -> list[str]:
    from replay.rebuilding.fidelity import Reason  # noqa: PLC0415

    # nothing is fetched to a server: to here, and from here it is the user's to copy
    folder = sources if isinstance(sources, Path) else Path(_FETCHED)
    needed = list(coverage)
    commands = []
    if absent := _lacking(needed, Reason.SHARD_MISSING):
        commands.append(fetch_command(absent, folder))
    if damaged := _lacking(needed, Reason.BYTES):
        commands.append(f"{fetch_command(damaged, folder)} --force-download")
    if other := _lacking(needed, Reason.ROW_MISSING):
        # the data set changes: another commit of it may hold the shard of that day
        commands.append(f"{fetch_command(other, folder)} --revision COMMIT")
    return commands


def _lacking(needed: Iterable[Coverage], reason: str) -> list[str]:
    return [
        shard.parquet for shard in needed if shard.parquet is not None and reason in shard.missing
    ]


def fetch_command(names: list[str], folder: Path) -> str:
    """The command of the Hugging Face client that fetches shards of the public data set.

    The client keeps the data set's subfolder (`data/`), in which shards are found as well.
    """
    patterns = [f"*{name}" for name in names] if len(names) <= _MOST_NAMED else ["*.parquet"]
    include = [word for pattern in patterns for word in ("--include", pattern)]
    words = ["hf", "download", DATA_SET, "--repo-type", "dataset", *include]
    return shlex.join([*words, "--local-dir", str(folder)])


def _print(report: SourcesReport) -> None:
    here = [shard for shard in report.shards if shard.problem is None]
    size = sum(shard.size for shard in here) / _MB
    say(
        f"{report.folder}: {len(here)} shards ({size:.0f} MB), {report.cached_images} cached images"
    )
    if here:
        rows = [(shard.file, shard.rows, round(shard.size / _MB)) for shard in here]
        print_table("here", ("shard", "rows", "MB"), rows)
    for title, files in (
        ("copies, each used where it fits a record better", report.duplicates),
        ("unfinished downloads: run again what began them", report.unfinished),
        ("folders that may not be read", report.unreadable),
    ):
        if files:
            print_table(title, ("file",), [(name,) for name in files])
    for shard in report.shards:
        if shard.problem is not None:
            say(f"not here: {printable(shard.file)}: {printable(shard.problem)}")
    if report.needed:
        print_table(
            "needed by real challenges",
            ("shard", "rows", "challenges", "image here", "not here"),
            [
                (
                    shard.parquet,
                    shard.rows,
                    shard.challenges,
                    shard.available,
                    _counted(shard.missing),
                )
                for shard in report.needed
            ],
        )
    say(f"{report.available} of {report.challenges} challenges have a source image here")
    if report.missing:
        say(f"the others: {_counted(report.missing)}")
    _print_remedy(report)


def _print_remedy(report: SourcesReport) -> None:
    if not report.remedy:
        return
    say("to fetch what is missing of the public data set (with --dry-run: only its size):")
    for command in report.remedy:
        say(f"  {command}")
    if "://" in report.folder:
        say(f"and then copy what is in {_FETCHED}/ to {report.folder}")
    say("or point --sources at a validator's cache, such as ~/.cache/natix/Roadwork/image")


def _counted(missing: dict[str, int]) -> str | None:
    return ", ".join(f"{reason} {count}" for reason, count in missing.items()) or None
