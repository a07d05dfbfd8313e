"""Commands that read logs and query the warehouse; none of them imports torch."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.cluster.options import LOCAL, WorkerCpusOption, check_cluster_options, on_option
from data.errors import LogError
from data.remote_store.opening import open_store
from data.store import Store
from data.terminal import (
    JsonOption,
    StoreOption,
    note,
    print_csv,
    print_json,
    print_json_list,
    print_table,
    say,
)
from data.terminal_progress import byte_progress, progress

if TYPE_CHECKING:
    from analytics.ingest.ingest import IngestReport
    from analytics.ingest.reading import LogReading
    from analytics.queries.era_coverage import EraCoverage
    from analytics.queries.user_sql import Row

app = typer.Typer()

_REJECTS_SHOWN = 10
_ROWS_SHOWN = 200


ReadersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        help="Processes that read long logs [default: one a core]; of a cluster, workers that "
        "read [default: as many as there is room for].",
    ),
]


class TableFormat(StrEnum):
    """How `sql` prints its rows."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@app.command(
    epilog="Example: streetreplay ingest wandb/run-20260101_120000-ab12cd34 challenges.jsonl; "
    "or, from W&B's service: streetreplay ingest wandb://ENTITY/PROJECT"
)
def ingest(
    logs: Annotated[
        list[str],
        typer.Argument(
            help="Log files, W&B run folders, folders of either, or wandb://ENTITY/PROJECT[/RUN].",
            metavar="LOG...",
        ),
    ],
    store: StoreOption = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Publish nothing where anything is rejected.")
    ] = False,
    workers: ReadersOption = None,
    where: Annotated[str, on_option("logs are read")] = LOCAL,
    worker_cpus: WorkerCpusOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read a validator's logs into the store.

    Reads JSON (one record, several, or lines; also compressed with gzip, zstd or bzip2), W&B
    media HTML files and W&B run folders, live or offline, CSV and Parquet tables of a run's history
    or of Media records, and zip and tar archives of any of these, recognised by content. A history
    is of the run that a column names, else its run's folder, else its file: RUN_ID.csv or
    run-RUN_ID.parquet. The same content again changes nothing. Bad records and values, and forms
    that are not read, become rows of the relation rejects, and the exit status is 1; with --strict
    the store stays as it was.

    wandb://ENTITY/PROJECT[/RUN] is downloaded from W&B's service into the store first, in whole
    rows and with media; what is there already is not downloaded again. Needs an API key
    (`wandb login`, or WANDB_API_KEY; WANDB_BASE_URL for another server).

    With --on ray, nodes of a cluster read the logs, which they need under the same paths; the store
    is then the same. A node that has others is left out, and what no node has is read here.
    """
    check_cluster_options(where, worker_cpus=worker_cpus)
    from analytics.ingest.ingest import ingest as ingest_logs  # noqa: PLC0415
    from analytics.ingest.settings import IngestSettings  # noqa: PLC0415
    from analytics.warehouse.false_signatures import false_signatures_text  # noqa: PLC0415

    opened = open_store(store)
    settings = IngestSettings(strict=strict, processes=workers if where == LOCAL else None)
    paths = _on_disk(opened, logs)
    with _reading_on(where, workers, worker_cpus or 1) as reading_by:
        report = ingest_logs(opened, paths, byte_progress, settings, reading_by)
    if report.changed:
        _keep_order(opened)
    coverage = [] if report.refused else _covered(opened)
    if as_json:
        print_json(asdict(report) | {"eras": coverage})
    else:
        _print_report(report, coverage)
    if report.false_signatures:
        note(false_signatures_text(report.false_signatures), style="red")
    if report.rejects:
        raise typer.Exit(1)


def _print_report(report: "IngestReport", coverage: list["EraCoverage"]) -> None:
    """What was read, what was not, and what the store holds now."""
    unchanged = f" ({report.logs_unchanged} unchanged)" if report.logs_unchanged else ""
    say(
        f"{report.challenges_read} challenges read from "
        f"{len(report.logs) - report.logs_unchanged} logs{unchanged}: "
        f"{report.challenges_new} new, {report.challenges_named} now with their run; "
        f"{report.series_steps_new} new steps of {report.runs} W&B runs",
    )
    _print_rejects(report.rejects)
    if report.refused:
        say("nothing was published: without --strict all but the rejects is")
    else:
        _print_coverage(coverage)


@contextmanager
def _reading_on(where: str, count: int | None, cpus: int) -> Iterator["LogReading | None"]:
    """Who reads logs on a cluster; None for this process."""
    if where == LOCAL:
        yield None
        return
    from analytics.cluster.cluster_reading import ClusterReading  # noqa: PLC0415
    from data.cluster.ray_cluster import ray_cluster  # noqa: PLC0415

    with ray_cluster(where) as cluster:
        resources = cluster.worker_resources(cpus, 0)
        count = count or cluster.worker_count(resources)
        note(cluster.described(resources, count))
        yield ClusterReading(cluster, resources, count)


def _on_disk(store: Store, logs: Iterable[str]) -> list[Path]:
    """Paths of the logs that a person names, those of the service once they are downloaded."""
    from data.wandb_service.address import ServiceAddress, log_place  # noqa: PLC0415

    places = [log_place(log) for log in logs]
    paths: list[Path] = []
    for place in places:
        if isinstance(place, ServiceAddress):
            from data.wandb_service.download import download_runs  # noqa: PLC0415

            runs = download_runs(place, store.downloads, progress, note)
            if not runs:
                raise LogError(str(place), found="no run with a challenge", expected="one or more")
            paths += runs
        else:
            paths.append(place)
    return paths


def _covered(store: Store) -> list["EraCoverage"]:
    """What the store holds of each era."""
    from analytics.queries.era_coverage import era_coverage  # noqa: PLC0415
    from analytics.warehouse.connection import reading  # noqa: PLC0415

    with reading(store) as connection:
        return era_coverage(connection)


def _keep_order(store: Store) -> None:
    """Put many challenges in order, so that no page has to wait for that."""
    from analytics.lives.order_file import keep_order  # noqa: PLC0415
    from analytics.warehouse.connection import reading  # noqa: PLC0415

    with reading(store) as connection:
        keep_order(store, connection)


def _print_rejects(rejects: list[dict[str, object]]) -> None:
    if not rejects:
        return
    columns = ("file", "position", "field", "reason")
    shown = [[reject[column] for column in columns] for reject in rejects[:_REJECTS_SHOWN]]
    print_table(f"{len(rejects)} rejects (relation rejects holds all)", columns, shown)


def _print_coverage(coverage: list["EraCoverage"]) -> None:
    from analytics.queries.era_coverage import COLUMNS, coverage_rows  # noqa: PLC0415

    if not coverage:
        return
    title = "the store now holds (holes and restarts as runs show them, see audit for all)"
    print_table(title, COLUMNS, coverage_rows(coverage[:_ROWS_SHOWN]))
    if len(coverage) > _ROWS_SHOWN:
        note(f"{len(coverage) - _ROWS_SHOWN} more rows: --json prints all")


@app.command(
    epilog="Example: streetreplay sql 'SELECT uid, avg(value) FROM miner_mcc GROUP BY uid'"
)
def sql(
    query: Annotated[str, typer.Argument(help="A query in DuckDB's SQL.")],
    store: StoreOption = None,
    table_format: Annotated[TableFormat, typer.Option("--format")] = TableFormat.TABLE,
    raw: Annotated[
        bool,
        typer.Option(
            "--raw",
            help="Write text of logs to a CSV file or pipe as it is, control characters included.",
        ),
    ] = False,
) -> None:
    """Query the warehouse, read-only.

    Relations: media, responses, miner_series, history_series, miner_predictions, miner_rewards,
    miner_scores, miner_accuracy, miner_auc, miner_f1_score, miner_mcc, miner_precision,
    miner_recall, audit_recent_accuracy, audit_sources, runs, rejects, logs, replay_runs,
    replay_predictions, replay_variants, replay_gates, gps_clusters, null_rates, sample_weights.
    `DESCRIBE media` lists columns. Control characters in text of a log are shown escaped; JSON
    escapes them by its own rules, so nothing is lost.
    """
    from analytics.queries.user_sql import streamed_query  # noqa: PLC0415

    if raw and table_format is not TableFormat.CSV:
        raise typer.BadParameter("is for --format csv", param_hint="--raw")
    with streamed_query(open_store(store), query) as running:
        if table_format is TableFormat.JSON:
            print_json_list(dict(zip(running.columns, row, strict=True)) for row in running.rows)
        elif table_format is TableFormat.CSV:
            _print_csv(running.columns, running.rows, raw=raw)
        else:
            print_table("", running.columns, list(islice(running.rows, _ROWS_SHOWN)))
            if more := sum(1 for _ in running.rows):
                note(f"{more} more rows: --format csv or json prints all")


def _print_csv(columns: list[str], rows: Iterable["Row"], *, raw: bool) -> None:
    escaped = print_csv(chain([tuple(columns)], rows), raw=raw)
    if escaped:
        note(
            f"{escaped} values hold control or hidden characters, shown escaped; with --raw a file "
            "or pipe gets them as they are"
        )
