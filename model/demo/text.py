"""The demo's results as a few lines for someone who sees them for the first time."""

import os
import shlex
import shutil
import sys
from pathlib import Path

from analytics.comparison.baselines import BEST, MEDIAN
from data.remote_store.opening import open_store
from data.store import STORE_VARIABLE, Store
from model.demo.run import DemoReport, FirstResult
from replay.comparing.results import Comparison

_PAGES = Path(__file__).parents[2] / "dashboards"
_QUERY = "SELECT era, source, label, count(*) FROM media GROUP BY ALL"
_NAME_WIDTH = 24


def first_result_lines(first: FirstResult, store: Store) -> list[str]:
    """The first result, and where to look at it while the model is trained."""
    return [
        f"First result, in a simulated world (drawn scenes, simulated miners): {first.challenges} "
        f"challenges read, {first.images} images rebuilt",
        _table_line("safety-orange baseline", _score_and_rank(first.orange)),
        *(_baseline_line(first.orange, name, "the baseline") for name in (BEST, MEDIAN)),
        f"the page, from another shell: {page_command(store)}",
    ]


def report_lines(report: DemoReport) -> list[str]:
    """The results of the demo in ten lines."""
    first, model, training = report.first, report.model, report.training
    return [
        "Result, in a simulated world: its scenes are drawn and its miners simulated",
        f"done: {first.challenges} challenges of a validator's log read, {first.images} images "
        f"rebuilt, a model trained on {training.training + training.validation} other drawn scenes",
        "MCC of answers: 1 is always right, 0 is guessing; miners are chosen on the log's first "
        "half and evaluated on its second",
        _table_line("the model", _score_and_rank(model)),
        _table_line("safety-orange baseline", _score_and_rank(first.orange)),
        *(_baseline_line(model, name, "the model") for name in (BEST, MEDIAN)),
        _conclusion(report),
        "what this shows: all works here, from log to result, and this is what a result looks like",
        "what this does not show: that this model is good on photographs, or that real miners are "
        "like these",
    ]


def next_commands(store: Store) -> list[str]:
    """Commands that work as printed, from the shell and folder that the demo was started in."""
    option, program = _store_option(store), _program("streetreplay")
    return [
        f"{program} compare latest{option}",
        f"{program} sql {shlex.quote(_QUERY)}{option}",
        f"{program} render --limit 8 --out out{option}",
        page_command(store),
    ]


def page_command(store: Store) -> str:
    """The command that opens the dashboards on a store."""
    variable = f"{STORE_VARIABLE}={shlex.quote(str(store.root))} " if _store_option(store) else ""
    return f"{variable}{_program('streamlit')} run {_shell_path(_PAGES)}"


def _store_option(store: Store) -> str:
    """The option that names the store; nothing where commands take it anyway."""
    same = store.root.absolute() == open_store().root.absolute()
    return "" if same else f" --store {shlex.quote(str(store.root))}"


def _program(name: str) -> str:
    """How a shell names a program of this installation: it need not be on the PATH."""
    script = shutil.which(name, path=str(Path(sys.executable).parent))
    if script is None:
        return f"{_shell_path(Path(sys.executable))} -m {name}"
    on_path = shutil.which(name)
    if on_path is not None and Path(on_path).samefile(script):
        return name
    return _shell_path(Path(script))


def _shell_path(path: Path) -> str:
    """A path quoted for a shell, relative where it lies below the working directory."""
    below = path.absolute().is_relative_to(Path.cwd())
    return shlex.quote(os.path.relpath(path) if below else str(path))


def _table_line(name: str, text: str) -> str:
    return f"  {name:<{_NAME_WIDTH}}{text}"


def _score_and_rank(comparison: Comparison) -> str:
    """MCC and rank among the miners, each with its interval."""
    rank, interval = comparison.ranks["mcc"], ""
    if comparison.mcc_interval is not None:
        low, high = comparison.mcc_interval
        interval = f" ({comparison.level:.0%} interval {low:.2f} to {high:.2f})"
    return (
        f"MCC {comparison.candidate.mcc:.2f}{interval} on {comparison.candidate.n} challenges; "
        f"rank {rank.rank} of {rank.of} ({rank.best} to {rank.worst})"
    )


def _baseline_line(comparison: Comparison, name: str, candidate: str) -> str:
    """A miner that the first half of the log chose, and the candidate, on the second half."""
    for baseline in comparison.baselines:
        if baseline.name == name:
            return _table_line(
                name,
                f"MCC {baseline.score.mcc:.2f}, {candidate} {baseline.candidate.mcc:.2f} on the "
                f"same {baseline.score.n} challenges",
            )
    return _table_line(name, f"none: {comparison.without_baseline.get(name, 'not looked for')}")


def _conclusion(report: DemoReport) -> str:
    """Whether the model beats the baseline, and how many miners it is ahead of."""
    difference = report.against.differences["mcc"]
    miners = report.model.miners
    ahead = sum(miner.differences["mcc"].value > 0 for miner in miners)
    if difference.interval is None:
        result = "too few images to say whether the model beats the baseline"
    else:
        low, high = difference.interval
        beats = "beats" if low > 0 else "does not surely beat"
        result = (
            f"the model {beats} the baseline ({difference.value:+.2f}, {low:+.2f} to {high:+.2f})"
        )
    return f"conclusion: {result}, and has the higher MCC beside {ahead} of {len(miners)} miners"
