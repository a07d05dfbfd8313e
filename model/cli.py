"""Commands about models, and the demonstration of the whole."""

import typer

from data.store import DEFAULT_STORE, open_store
from data.terminal import JsonOption, StoreOption, note, print_json, progress, say

app = typer.Typer()

_MINERS_SHOWN = 10
_FIRST_QUERY = "SELECT era, source, label, count(*) FROM media GROUP BY ALL"


@app.command(epilog="Example: streetreplay demo --store /tmp/demo")
def demo(context: typer.Context, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Make a small simulated world, then ingest, train, replay and compare in it.

    Drawn road scenes with and without roadwork, a simulated validator and its miners; the same
    every time. Refuses a store that holds other data, unless --store names it.
    """
    from model.demo import check_free, run_demo  # noqa: PLC0415
    from model.train_text import print_training  # noqa: PLC0415
    from replay.compare_text import print_comparison  # noqa: PLC0415
    from replay.trained_on import trained_on  # noqa: PLC0415

    where = open_store(store)
    source = context.get_parameter_source("store")
    # An environment variable may well name the store of a real log: that is no consent.
    if source is None or source.name != "COMMANDLINE":
        check_free(where)
    report = run_demo(where, note, progress=progress)
    if as_json:
        print_json(report, indent=1)
        return
    say("\nA simulated world: drawn scenes, simulated miners.")
    print_training(report.training)
    own = trained_on(where, report.model.run_id)
    print_comparison(report.model, _MINERS_SHOWN, own, report.against)
    named = "" if where.root == DEFAULT_STORE else f" --store {where.root}"
    say(
        "\nNext:\n"
        f"  streetreplay sql '{_FIRST_QUERY}'{named}\n"
        f"  streetreplay render --limit 8 --out out{named}\n"
        f"  {f'STREETREPLAY_STORE={where.root} ' if named else ''}streamlit run dashboards",
    )
