"""The command `demo`."""

import typer

from data.errors import StoreError
from data.progress import silent
from data.remote_store.opening import open_store
from data.terminal import JsonOption, StoreOption, errors, note, print_json, say
from data.terminal_progress import progress

app = typer.Typer()


@app.command(epilog="Example: streetreplay demo --store /tmp/demo")
def demo(context: typer.Context, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Make a small simulated world, then ingest, replay, compare and train in it.

    Drawn road scenes with and without roadwork, a simulated validator and its miners; the same
    every time. A baseline is beside the miners in half a minute, then a model is trained and put
    beside them. Refuses a store that holds other data, unless --store names it.
    """
    from model.demo.warm_up import warm_up  # noqa: PLC0415
    from model.demo.world import check_free  # noqa: PLC0415

    demo_store = open_store(store)
    if demo_store.url is not None:
        raise StoreError(
            f"store {demo_store}",
            found="a URL",
            expected="a folder of this machine, as the demo draws source images into it",
            remedy="make it in a folder, then copy that to the server",
        )
    source = context.get_parameter_source("store")
    # an environment variable may name the store of a real log: that is no consent
    if source is None or source.name != "COMMANDLINE":
        check_free(demo_store)
    # starts before the rest is imported, which takes seconds
    with warm_up(demo_store) as wait_for:
        from model.demo.run import FirstResult, run_demo  # noqa: PLC0415
        from model.demo.text import first_result_lines, next_commands, report_lines  # noqa: PLC0415

        def print_first_result(first: FirstResult) -> None:
            for line in first_result_lines(first, demo_store):
                (note if as_json else say)(line)

        # elsewhere than on a terminal a line a step is enough
        progress_bars = progress if errors.is_terminal else silent
        report = run_demo(
            demo_store,
            note,
            progress=progress_bars,
            on_first_result=print_first_result,
            wait_for=wait_for,
        )
    if as_json:
        print_json(report, indent=1)
        return
    for line in ("", *report_lines(report), "", "next:", *next_commands(demo_store)):
        say(line)
