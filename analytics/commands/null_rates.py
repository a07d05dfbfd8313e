"""The command `null-rates`: which metadata fields hold no value, by era; it imports no torch."""

import typer

from data.remote_store.opening import open_store
from data.terminal import JsonOption, SourcesOption, StoreOption, print_json

app = typer.Typer()


@app.command(name="null-rates", epilog="Example: streetreplay null-rates --json")
def null_rates(
    sources: SourcesOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report the NULL rate of every metadata field: by era of challenges, and of source rows.

    Rates are over source images, each once an era, with Wilson's interval; drift is from the era
    before (of source rows: from the newest era's real images), with Newcombe's interval and
    Fisher's exact test, adjusted by Holm over all of them. How well a NULL predicts the label is in
    `leaks`: the description's NULL is the label itself. The relation null_rates then holds the
    same.
    """
    from analytics.leaks import null_rates as rates_of  # noqa: PLC0415
    from analytics.leaks.null_rates_relation import publish_null_rates  # noqa: PLC0415
    from analytics.leaks.null_rates_text import print_null_rates  # noqa: PLC0415
    from analytics.warehouse.connection import reading  # noqa: PLC0415
    from data.sources.shards import open_shards  # noqa: PLC0415

    opened = open_store(store)
    shards = open_shards(sources or opened.sources_place, required=sources is not None)
    with reading(opened) as connection:
        rates = rates_of.null_rates(connection, shards)
    publish_null_rates(opened, rates)
    if as_json:
        print_json([rates_of.null_rate_row(rate) for rate in rates], indent=1)
    else:
        print_null_rates(rates)
