"""The command `gps-clusters`: where challenges and source rows are from; it imports no torch."""

from typing import Annotated

import typer

from data.remote_store.opening import open_store
from data.terminal import JsonOption, SourcesOption, StoreOption, print_json
from replay.commands.compare import DrawsOption, DrawsSeedOption, TrainedOnOption

app = typer.Typer()

RunOption = Annotated[
    str | None,
    typer.Option(
        "--run",
        help="Score each cluster with this replay, or `none` [default: the latest, if there is "
        "one].",
    ),
]


@app.command(name="gps-clusters", epilog="Example: streetreplay gps-clusters --run latest")
def gps_clusters(
    run: RunOption = None,
    training_file: TrainedOnOption = None,
    draws: DrawsOption = 1000,
    seed: DrawsSeedOption = 0,
    sources: SourcesOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report where logged challenges and source rows are from, and how a replay does there.

    Clusters of GPS positions (HDBSCAN on the sphere; those nearer than 50 km are one), named after
    the data set's cities: the shares of challenges and of source rows, their label balance, and of
    a replay its MCC beside the pooled miners' and the reward that it loses, with intervals over
    source images. What is in no cluster is counted. The relation gps_clusters then holds the same.
    """
    from analytics.comparison.bootstrap import BootstrapSettings  # noqa: PLC0415
    from analytics.regions.relation import publish_clusters  # noqa: PLC0415
    from analytics.regions.text import print_clusters  # noqa: PLC0415
    from analytics.slices.scores import SliceSettings  # noqa: PLC0415
    from replay.comparing.clusters import ScoredRun, cluster_report  # noqa: PLC0415

    opened = open_store(store)
    settings = SliceSettings(BootstrapSettings(draws=draws, seed=seed))
    report = cluster_report(opened, ScoredRun(run, training_file), sources, settings)
    publish_clusters(opened, report)
    if as_json:
        print_json({k: v for k, v in vars(report).items() if not k.endswith("members")}, indent=1)
    else:
        print_clusters(report)
