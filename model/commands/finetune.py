"""The command `finetune`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.remote_store.named_folder import named_folder
from data.remote_store.opening import open_store
from data.terminal import JsonOption, SourcesOption, StoreOption, note, print_json, print_table, say
from data.terminal_progress import progress
from model.commands.processes import report_of_main
from model.commands.settings_options import Settings, SettingsCommand, with_settings
from model.commands.train import OutOption, ReplaceOption
from model.fine_tuning.settings import FineTuningConfig
from replay.settings import inputs_name

if TYPE_CHECKING:
    from model.fine_tuning.out_of_fold import Estimate
    from model.fine_tuning.report import FineTuningReport

app = typer.Typer()


@app.command(
    cls=SettingsCommand,
    epilog="Example: streetreplay finetune data/store/models/first --out data/store/models/tuned",
)
@with_settings(**FineTuningConfig().tables)
def finetune(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of the checkpoint to begin with.")],
    out: OutOption,
    settings: Settings,
    replace: ReplaceOption = False,
    store: StoreOption = None,
    sources: SourcesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fine-tune a checkpoint on rows that it has not seen, and keep the mean of the best folds.

    Rows that the checkpoint was trained on are left out, those of their videos or within 100 m, and
    likewise the holdout of its training.
    The others are parted into folds by street; for each, a model is trained from the checkpoint's
    weights on the other folds, and answers this one. Only these answers are scored, beside those of
    the checkpoint to the same images; out_of_fold.parquet in the run's folder has them. The weights
    of the best folds' models are averaged into --out, which has no such score of its own. Model,
    backbone and metadata are the checkpoint's. A fine-tuning that was interrupted goes on when the
    same command is given again.
    """
    from data.sources.shards import open_shards  # noqa: PLC0415
    from model.fine_tuning.finetune import finetune as run_fine_tuning  # noqa: PLC0415

    opened = open_store(store)
    report = report_of_main(
        lambda: run_fine_tuning(
            opened,
            open_shards(sources or opened.sources_place, required=sources is not None),
            named_folder(opened, checkpoint),
            named_folder(opened, out),
            FineTuningConfig(**settings.tables),
            replace_checkpoint=replace,
            progress=progress,
            note=note,
        )
    )
    if report is None:
        return
    if as_json:
        print_json(asdict(report))
    else:
        _print_report(report)


def _print_report(report: "FineTuningReport") -> None:
    """Print a fine-tuning for a person at a terminal."""
    kind = inputs_name(uses_metadata=not report.image_only)
    say(
        f"{report.run_id}: {kind} on {report.backbone}, {report.rows} rows of {report.streets} "
        f"streets in {len(report.folds)} folds, {sum(report.left_out.values())} rows left out"
    )
    print_table(
        "out of fold",
        ("fold", "rows", "images", "MCC", "MCC of the base", "best epoch", "in the average"),
        [
            (
                fold.fold,
                fold.validation,
                fold.best.n,
                fold.best.mcc,
                fold.base_mcc,
                fold.best.epoch,
                "yes" if fold.fold in report.averaged else "no",
            )
            for fold in report.folds
        ],
    )
    scores = report.out_of_fold
    say(
        f"out of fold, all {report.images} images: MCC {_words(scores.mcc)}, the base "
        f"{_words(scores.base_mcc)}, gained {_words(scores.difference, '+')}"
    )
    folds = " and ".join(map(str, report.averaged))
    say(f"in {report.out}: the average of folds {folds}; {report.note}")
    if report.left_out:
        print_table("left out", ("reason", "rows"), list(report.left_out.items()))


def _words(estimate: "Estimate", sign: str = "") -> str:
    """An estimate with its 95% interval."""
    if estimate.interval is None:
        return f"{estimate.value:{sign}.3f} (too few streets for an interval)"
    low, high = estimate.interval
    return f"{estimate.value:{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"
