"""The command `retrain`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from data.remote_store.opening import open_store
from data.terminal import JsonOption, SourcesOption, StoreOption, note, print_json, say
from data.terminal_progress import progress
from model.commands.settings_options import Settings, SettingsCommand, with_settings
from model.promotion_gate.settings import GateSettings, PowerSettings
from model.retraining.settings import ChallengerSettings, DecisionSettings
from replay.commands.options import DEFAULT_VARIANTS, VariantsOption, utc_time, variant_settings
from replay.settings import VariantSettings

app = typer.Typer()

PolicyOption = Annotated[
    Path | None,
    typer.Option("--policy", help="Policy of the sample weights [default: the bundled one]."),
]
TrainingOption = Annotated[
    Path | None,
    typer.Option(
        "--training",
        help="Settings of the training, as `train --settings` takes them [default: those of the "
        "champion's own training].",
    ),
]
RowsOption = Annotated[
    str | None,
    typer.Option(
        "--rows",
        metavar="FOLDER|URL",
        help="Shards of the rows to train on [default: those of --sources].",
    ),
]
SinceOption = Annotated[
    datetime | None,
    typer.Option(
        "--since",
        metavar="TIME",
        parser=utc_time,
        help="Drift is that from challenges logged before this time to later ones, UTC or with an "
        "offset [default: when the champion was made].",
    ),
]


@app.command(cls=SettingsCommand, epilog="Example: streetreplay retrain --if-needed")
@with_settings(
    decision=DecisionSettings(),
    challenger=ChallengerSettings(),
    gate=GateSettings(),
    power=PowerSettings(),
)
def retrain(
    settings: Settings,
    if_needed: Annotated[
        bool,
        typer.Option("--if-needed", help="Do nothing, with status 0, where nothing is due."),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what is due and what the gate needs; train nothing."),
    ] = False,
    policy: PolicyOption = None,
    training: TrainingOption = None,
    rows: RowsOption = None,
    since: SinceOption = None,
    variants: VariantsOption = DEFAULT_VARIANTS,
    store: StoreOption = None,
    sources: SourcesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Retrain the champion on weighted source rows; promote the challenger if it is better.

    The champion answers the log anew; where it drifted, or where the champion loses, is due for
    retraining. Source rows are weighted by it (see the command weights), a challenger is trained on
    from the champion's weights on draws by them and set between both (--interpolation), and it is
    compared with the champion on challenges that neither was trained on. It becomes champion if the
    interval of the gain lies above 0 and no guarded slice loses too much; else the champion stays.
    A retraining that was interrupted goes on when the same command is given again. Its folder in
    the store's models keeps weights, checkpoint and report.
    """
    from data.sources.shards import open_shards  # noqa: PLC0415
    from model.retraining.champion_training import training_of  # noqa: PLC0415
    from model.retraining.retrain import RetrainSettings  # noqa: PLC0415
    from model.retraining.retrain import retrain as run_retraining  # noqa: PLC0415
    from model.retraining.retrain_report import report_json, report_lines  # noqa: PLC0415
    from model.weighting.policy import read_policy  # noqa: PLC0415

    opened = open_store(store)
    report = run_retraining(
        opened,
        open_shards(sources or opened.sources_place, required=sources is not None),
        RetrainSettings(
            policy=read_policy(policy),
            training=training_of(opened, training),
            variants=variant_settings(variants, VariantSettings.seed),
            **settings.tables,
        ),
        rows=None if rows is None else open_shards(rows, required=True),
        since=since,
        if_needed=if_needed,
        dry_run=dry_run,
        progress=progress,
        note=note,
    )
    if as_json:
        print_json(report_json(report))
    else:
        for line in report_lines(report):
            say(line)
