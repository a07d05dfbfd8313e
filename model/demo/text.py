"""What the demo found, in a few lines for someone who sees it for the first time."""

import os
import shlex
import shutil
import sys
from pathlib import Path

from analytics.comparison.baselines import BEST, MEDIAN
from data.store import STORE_VARIABLE, Store, open_store
from model.demo.run import DemoReport, FirstResult
from replay.comparing.results import Comparison

_PAGES = Path(__file__).parents[2] / "dashboards"
_QUERY = "SELECT era, source, label, count(*) FROM media GROUP BY ALL"
_NAME = 24


def first_result_lines(first: FirstResult, store: Store) -> list[str]:
    """The first result, and where to look at it while the model learns."""
    return [
        f"First result, in a simulated world (drawn scenes, simulated miners): {first.challenges} "
        f"challenges read, {first.images} images rebuilt",
        _line("safety-orange baseline", _place(first.orange)),
        *(_baseline(first.orange, name, "the baseline") for name in (BEST, MEDIAN)),
        f"the page, from another shell: {page_command(store)}",
    ]


def report_lines(report: DemoReport) -> list[str]:
    """The whole demo in ten lines."""
    first, model, trained = report.first, report.model, report.training
    return [
        "Verdict, of a simulated world: its scenes are drawn and its miners simulated",
        f"done: {first.challenges} challenges of a validator's log read, {first.images} images "
        f"rebuilt, a model trained on {trained.training + trained.validation} other drawn scenes",
        "MCC of answers: 1 is always right, 0 is guessing; miners are chosen on the log's first "
        "half and judged on its second",
        _line("the model", _place(model)),
        _line("safety-orange baseline", _place(first.orange)),
        *(_baseline(model, name, "the model") for name in (BEST, MEDIAN)),
        _duel(report),
        "it means: all works here, from a log to a verdict, and this is what a result looks like",
        "it does not mean: that this model is good on photographs, or that real miners are like "
        "these",
    ]


def next_commands(store: Store) -> list[str]:
    """Commands that work as printed, from the shell and folder that the demo was started in."""
    named, program = _store_option(store), _program("streetreplay")
    return [
        f"{program} compare latest{named}",
        f"{program} sql {shlex.quote(_QUERY)}{named}",
        f"{program} render --limit 8 --out out{named}",
        page_command(store),
    ]


def page_command(store: Store) -> str:
    """The command that opens the dashboards on a store."""
    variable = f"{STORE_VARIABLE}={shlex.quote(str(store.root))} " if _store_option(store) else ""
    return f"{variable}{_program('streamlit')} run {_word(_PAGES)}"


def _store_option(store: Store) -> str:
    """Nothing where commands take this store anyway."""
    same = store.root.absolute() == open_store().root.absolute()
    return "" if same else f" --store {shlex.quote(str(store.root))}"


def _program(name: str) -> str:
    """How a shell names a program of this installation: it need not be on the PATH."""
    script = shutil.which(name, path=str(Path(sys.executable).parent))
    if script is None:
        return f"{_word(Path(sys.executable))} -m {name}"
    found = shutil.which(name)
    if found is not None and Path(found).samefile(script):
        return name
    return _word(Path(script))


def _word(path: Path) -> str:
    """A path as a shell takes it, short where it lies below the folder that we are in."""
    inside = path.absolute().is_relative_to(Path.cwd())
    return shlex.quote(os.path.relpath(path) if inside else str(path))


def _line(name: str, words: str) -> str:
    return f"  {name:<{_NAME}}{words}"


def _place(found: Comparison) -> str:
    """MCC and place among the miners, each with its interval."""
    rank, interval = found.ranks["mcc"], ""
    if found.mcc_interval is not None:
        low, high = found.mcc_interval
        interval = f" ({found.level:.0%} interval {low:.2f} to {high:.2f})"
    return (
        f"MCC {found.candidate.mcc:.2f}{interval} on {found.candidate.n} challenges; place "
        f"{rank.rank} of {rank.of} ({rank.best} to {rank.worst})"
    )


def _baseline(found: Comparison, name: str, candidate: str) -> str:
    """A miner that the first half of the log chose, on the second half."""
    for one in found.baselines:
        if one.name == name:
            return _line(
                name,
                f"MCC {one.score.mcc:.2f}, {candidate} {one.candidate.mcc:.2f} on the same "
                f"{one.score.n} challenges",
            )
    return _line(name, f"none: {found.without_baseline.get(name, 'not looked for')}")


def _duel(report: DemoReport) -> str:
    difference = report.against.differences["mcc"]
    miners = report.model.miners
    ahead = sum(one.differences["mcc"].value > 0 for one in miners)
    if difference.interval is None:
        surely = "too few images to say whether the model beats the baseline"
    else:
        low, high = difference.interval
        words = "beats" if low > 0 else "does not surely beat"
        surely = (
            f"the model {words} the baseline ({difference.value:+.2f}, {low:+.2f} to {high:+.2f})"
        )
    return f"so: {surely}, and has the higher MCC beside {ahead} of {len(miners)} miners"
