"""Results of `compare`: a candidate beside every miner, its rank, baselines and threshold."""

from dataclasses import dataclass

from analytics.comparison.best_logit_shift import LogitShift
from analytics.comparison.calibration import Calibration
from analytics.comparison.intervals import Interval
from analytics.comparison.mcnemar import McNemar
from analytics.comparison.rank import Rank
from analytics.lives.order import Life
from analytics.slices.scores import Slice

STATISTICS = ("accuracy", "mcc", "auc", "reward", "ema", "mean_ema")
RANKED = ("mcc", "reward", "mean_ema")


@dataclass(frozen=True)
class Score:
    """How right answers were, and what they earned; NaN for nothing to score.

    The first are of `n` answers: `accuracy` 0..1, `mcc` -1..1 (signed), `floored_mcc` the same with
    the validator's floor of 0, `auc` 0..1 (0 for one label only); classes are by the validator's
    rounding (half to even). Where a challenge's image is a distribution the candidate counts by the
    share of images on either side: expected counts, never one draw; its AUC is expected too.

    The others are of `asked` challenges, silent ones among them, through the validator's windows
    from empty ones on: mean `reward`, the `ema` after the last one and its mean, 0..1; of a
    candidate the mean over draws of possible images. Windows and EMA begin anew with each
    validator's life; of several lives answers and rewards count together, and `ema` is the mean of
    each life's last one, weighted by the challenges asked in it.
    """

    n: int
    accuracy: float
    mcc: float
    floored_mcc: float
    auc: float
    asked: int
    reward: float
    ema: float
    mean_ema: float


@dataclass(frozen=True)
class Difference:
    """Candidate minus the other; `interval` over source images is None for too few of them."""

    value: float
    interval: Interval | None


@dataclass(frozen=True)
class PairedComparison:
    """The candidate compared with another on the same challenges, order, windows and formula.

    `images` counts the source images asked about, `differences` are by name of a `Score`'s
    statistic. `notes` say in words what a number rests on where that is too little.
    """

    images: int
    score: Score
    candidate: Score
    differences: dict[str, Difference]
    mcnemar: McNemar | None
    notes: list[str]


@dataclass(frozen=True)
class LifeScores:
    """A miner and the candidate in one validator's life (its name), as if there were no other."""

    life: str
    score: Score
    candidate: Score


@dataclass(frozen=True)
class MinerComparison(PairedComparison):
    """One miner, a (uid, hotkey) pair.

    `left_out` counts the answers that its MCC leaves out; `lives` are its scores by validator's
    life, of those that asked it something.
    """

    uid: int
    hotkey: str
    left_out: dict[str, int]
    lives: list[LifeScores]


@dataclass(frozen=True)
class BaselineComparison(PairedComparison):
    """A baseline on the later part: `name`, who it is where it is a miner, and what chose it.

    `chosen_on` is the n of the earlier part that chose or fitted it (0: nothing was), `earlier_mcc`
    what a miner had there.
    """

    name: str
    uid: int | None
    hotkey: str | None
    chosen_on: int
    earlier_mcc: float | None


@dataclass(frozen=True)
class Comparison:
    """A replay compared with the logged miners, best miner by MCC first.

    `lives` are the validators' that it rests on, with the predicted challenges of each. `candidate`
    is of all predicted challenges, as if it were asked each, `mcc_interval` that of its MCC over
    source images, None for too few of them; `exact` and `distributions` are its n by fidelity,
    `images` the source images. `without_shared` counts miners that were asked none of them. `ranks`
    are by statistic, `ranks_without_clones` the same with one miner of each clone group, where
    `clones_left_out` counts the others. `earlier` and `later` are the n of the two parts, the first
    and the last challenges of each life; `without_baseline` says why a baseline is missing. Unless
    `overlap_checked`, the candidate may have been trained on these challenges; `training_rows`
    counts the distinct rows that were checked. `slices` are empty where they were not asked for;
    `slices_left_out` counts by field the values that are no slice, there being too many.
    """

    run_id: str
    model: str
    uses_metadata: bool
    lives: list[Life]
    candidate: Score
    mcc_interval: Interval | None
    exact: int
    distributions: int
    images: int
    left_out: dict[str, int]
    overlap_checked: bool
    training_rows: int | None
    miners: list[MinerComparison]
    without_shared: int
    ranks: dict[str, Rank]
    ranks_without_clones: dict[str, Rank]
    clones_left_out: int
    earlier: int
    later: int
    baselines: list[BaselineComparison]
    without_baseline: dict[str, str]
    shift: LogitShift | None
    calibration: Calibration
    slices: list[Slice]
    slices_left_out: dict[str, int]
    draws: int
    level: float
    seed: int
