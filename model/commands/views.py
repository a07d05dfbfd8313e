"""The command `views`: draws the 12 views of an image."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.atomic_files import atomic_file
from data.remote_store.opening import open_store
from data.store import Store
from data.terminal import JsonOption, StoreOption, print_json, say

if TYPE_CHECKING:
    from model.views.sheet import ViewShares

app = typer.Typer()


@app.command(epilog="Example: streetreplay views photo.jpg --out views.png")
def views(
    image: Annotated[Path, typer.Argument(help="A JPEG or PNG file.")],
    out: Annotated[Path, typer.Option("--out", help="The PNG file to write.")],
    run: Annotated[
        str | None,
        typer.Option(
            "--run",
            help="Colour the views by their mean share of the fusion in this replay (an id, or "
            "latest), and name their mean gates.",
        ),
    ] = None,
    side: Annotated[
        int, typer.Option("--side", min=1, max=2048, help="Side of the views in pixels.")
    ] = 256,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw the 12 views of an image: the whole, a 3 x 3 grid, the centre and the right half.

    With --json also where they lie, in pixels: top, left, bottom, right, ends excluded; with --run
    the mean share and gate of each.
    """
    from model.views.sheet import check_out, draw_views, open_picture  # noqa: PLC0415
    from model.views.views import VIEW_NAMES, view_boxes  # noqa: PLC0415

    check_out(out)
    shares = None if run is None else _mean_shares(open_store(store), run)
    pixels = open_picture(image)
    figure = draw_views(pixels, side, image.name, shares)
    with atomic_file(out) as temporary:
        figure.savefig(temporary, format="png", facecolor="white")
    if not as_json:
        say(f"{len(VIEW_NAMES)} views of {image} in {out}")
        return
    boxes = view_boxes(*pixels.shape[:2])
    nothing = [None] * len(boxes)
    means = (nothing, nothing) if shares is None else (shares.shares, shares.gates)
    named_views = [
        {"name": name, "box": box, "share": share, "gate": gate}
        for name, box, share, gate in zip(VIEW_NAMES, boxes, *means, strict=True)
    ]
    print_json({"out": out, "views": named_views})


def _mean_shares(store: Store, run: str) -> "ViewShares":
    """The mean shares and gates of a replay's views.

    Raises:
        RunError: there is no such replay, or its model has no gates.
    """
    from analytics.warehouse.connection import reading  # noqa: PLC0415
    from analytics.warehouse.statements import statements  # noqa: PLC0415
    from data.errors import RunError  # noqa: PLC0415
    from model.views.sheet import ViewShares  # noqa: PLC0415
    from model.views.views import VIEWS  # noqa: PLC0415
    from replay.comparing.loaded_answers import find_run  # noqa: PLC0415

    with reading(store) as connection:
        run_row = find_run(connection, run)
        parameters = {"run_id": run_row["run_id"]}
        rows = connection.execute(statements("model/commands/mean_gates"), parameters).fetchall()
    named = f"{run_row['run_id']} ({run_row['model']})"
    if [view for view, _, _, _ in rows] != list(range(1, VIEWS + 1)):
        raise RunError(
            f"gates of {named}",
            found=f"those of {len(rows)} views",
            expected=f"{VIEWS}",
            remedy="name the replay of a model with gates",
        )
    _, shares, gates, (challenge_count, *_) = zip(*rows, strict=True)
    caption = f"Means over {challenge_count} challenges of {named}"
    return ViewShares(shares, gates, caption)
