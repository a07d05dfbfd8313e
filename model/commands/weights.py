"""The command `weights`."""

from pathlib import Path
from typing import Annotated

import typer

from data.remote_store.opening import open_store
from data.terminal import JsonOption, SourcesOption, StoreOption, print_json

app = typer.Typer()

OutOption = Annotated[
    Path, typer.Option("--out", metavar="FILE.parquet", help="File of the weights.")
]
PolicyOption = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        metavar="FILE.toml",
        help="What each factor may do [default: the bundled model/weighting/default_policy.toml].",
    ),
]
RunOption = Annotated[
    str,
    typer.Option(
        "--run", help="The replay that shows where the candidate loses: a run id, or latest."
    ),
]


@app.command(epilog="Example: streetreplay weights --out data/store/weights.parquet")
def weights(
    out: OutOption,
    policy: PolicyOption = None,
    run: RunOption = "latest",
    store: StoreOption = None,
    sources: SourcesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Weigh source rows for the next training by what the log and a replay of it say.

    A weight is a product of factors, each a column of the file: the distance to places that are
    more common in the log than among the rows; slices in which the candidate loses reward to the
    miners; difficulty and doubtful labels of logged rows; balance of the labels, in all and within
    a pattern of NULL fields; slices in which the model looks elsewhere where it is wrong. What
    chance explains weighs nothing. `train --sample-weights FILE` draws rows by them; the relation
    sample_weights holds them too.
    """
    if out.suffix != ".parquet":
        raise typer.BadParameter("expected NAME.parquet", param_hint="--out")
    from data.sources.shards import open_shards  # noqa: PLC0415
    from model.rows.source_rows import list_rows  # noqa: PLC0415
    from model.weighting.policy import read_policy  # noqa: PLC0415
    from model.weighting.report import make_weights  # noqa: PLC0415
    from model.weighting.text import print_weights  # noqa: PLC0415

    chosen, opened = read_policy(policy), open_store(store)
    shards = open_shards(sources or opened.sources_place, required=sources is not None)
    report = make_weights(opened, list_rows(shards), out, chosen, run)
    if as_json:
        print_json(report, indent=1)
    else:
        print_weights(report)
