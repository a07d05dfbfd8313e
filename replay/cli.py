"""Commands that rebuild challenges and score candidates; torch is imported only where needed."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.store import Store, open_store
from data.terminal import (
    JsonOption,
    SourcesOption,
    StoreOption,
    print_json,
    print_table,
    progress,
    say,
)

if TYPE_CHECKING:
    from data.sources import Shards
    from replay.plan import Planned

app = typer.Typer()

_MINERS_SHOWN = 15


def _plan(
    store: Store, sources: Path | None, ids: list[str] | None, limit: int | None
) -> tuple[list["Planned"], "Shards"]:
    from analytics.challenges import stored_challenges  # noqa: PLC0415
    from analytics.warehouse import reading  # noqa: PLC0415
    from data.sources import open_shards  # noqa: PLC0415
    from replay.plan import plan  # noqa: PLC0415

    with reading(store) as connection:
        challenges = stored_challenges(connection, ids or None, limit)
    shards = open_shards(sources or store.sources, required=sources is not None)
    return plan(challenges, shards), shards


@app.command(epilog="Example: streetreplay render --out /tmp/images --limit 20")
def render(
    out: Annotated[Path, typer.Option("--out", help="Folder of the JPEG files.")],
    challenges: Annotated[
        list[str] | None, typer.Argument(help="Challenge ids [default: all].", metavar="CHALLENGE")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=0, help="Only the first so many.")] = None,
    store: StoreOption = None,
    sources: SourcesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the images that miners saw, as JPEG files.

    In order of file and position. With --json one line a challenge: fidelity (exact, distribution,
    impossible), the reason where there is no image, and SHA-256 of pixels and JPEG.
    """
    planned, shards = _plan(open_store(store), sources, challenges, limit)
    from replay.render import render as render_images  # noqa: PLC0415

    with progress("rebuilding", len(planned)) as tell:
        rendered = render_images(planned, shards, out, tell)
    if as_json:
        for one in rendered:
            print_json(asdict(one))
        return
    written = sum(len(one.files) for one in rendered)
    say(f"{written} images of {len(rendered)} challenges in {out}")
    _print_left_out(
        [one.reason if one.reason else str(one.fidelity) for one in rendered if not one.files]
    )


def _print_left_out(reasons: list[str]) -> None:
    from collections import Counter  # noqa: PLC0415

    if reasons:
        print_table("without an image", ("reason", "challenges"), Counter(reasons).most_common())


@app.command(epilog="Example: streetreplay replay --model orange")
def replay(
    model: Annotated[str, typer.Option("--model", help="The candidate, such as orange.")],
    store: StoreOption = None,
    sources: SourcesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a candidate answer every challenge that can be rebuilt, and publish its answers.

    The run id is a hash of candidate, challenges and sources: an interrupted replay goes on where
    it stopped. Candidates see the image alone, as miners do.
    """
    from replay.models import load  # noqa: PLC0415

    predictor = load(model)
    where = open_store(store)
    planned, shards = _plan(where, sources, None, None)
    from replay.runner import replay as run_replay  # noqa: PLC0415

    with progress("replaying", len(planned)) as tell:
        report = run_replay(where, predictor, planned, shards, tell=tell)
    if as_json:
        print_json(asdict(report))
        return
    say(
        f"{report.run_id}: {report.model} answered {report.predicted} of {report.selected} "
        "challenges, image-only",
    )
    if report.left_out:
        print_table("left out", ("reason", "challenges"), list(report.left_out.items()))


@app.command(epilog="Example: streetreplay compare latest")
def compare(
    run: Annotated[str, typer.Argument(help="A run id, or latest.")] = "latest",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare a replay with every logged miner on exactly the challenges that both have.

    A miner is a (uid, hotkey) pair. Classes are by the validator's rounding (half to even). The
    interval is that of the MCC difference, candidate minus miner, over source images.
    """
    from analytics.warehouse import reading  # noqa: PLC0415
    from replay.compare import compare as compare_run  # noqa: PLC0415
    from replay.compare_text import print_comparison  # noqa: PLC0415

    with reading(open_store(store)) as connection:
        comparison = compare_run(connection, run)
    if as_json:
        print_json(asdict(comparison), indent=1)
    else:
        print_comparison(comparison, _MINERS_SHOWN)
