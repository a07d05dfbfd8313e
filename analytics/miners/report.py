"""Everything about the logged miners in one report: habits, clones, memory, abilities, labels."""

from dataclasses import dataclass

import duckdb
import polars as pl

from analytics.lives.order import EVERYONE, Choice, Life
from analytics.miners.answers import MinerAnswers, miner_answers, stage
from analytics.miners.clones import Clones, CloneSettings, clone_groups
from analytics.miners.habits import Habits, Tenure, answer_habits, tenures
from analytics.miners.item_response import ItemResponse, ItemResponseSettings, item_response
from analytics.miners.memorised_images import Memorisation, MemorisationSettings, memorisation_tests
from analytics.miners.wrong_labels import WrongLabels, wrong_labels
from data.errors import QueryError


@dataclass(frozen=True)
class AnswerCounts:
    """How many answers a report used of those `asked`, and why it left the others out.

    `asked_again`: a uid asked twice in one challenge saw the same image; its first answer counts.
    """

    challenges: int
    miners: int
    asked: int
    used: int
    silent: int
    not_finite: int
    asked_again: int


@dataclass(frozen=True)
class MinerReport:
    """All analyses of miners; a miner is a (uid, hotkey) pair.

    `lives` are the validators' whose logs it is of, `tenures` the periods of hotkeys on uids. Where
    the item-response model cannot be fitted `model` and `wrong_labels` are None, and `no_model`
    says why.
    """

    lives: list[Life]
    counts: AnswerCounts
    habits: list[Habits]
    tenures: list[Tenure]
    clones: Clones
    memorisation: Memorisation
    model: ItemResponse | None
    wrong_labels: WrongLabels | None
    no_model: str | None


def miner_report(
    connection: duckdb.DuckDBPyConnection,
    choice: Choice = EVERYONE,
    clone_settings: CloneSettings = CloneSettings(),
    memorisation_settings: MemorisationSettings = MemorisationSettings(),
    model_settings: ItemResponseSettings = ItemResponseSettings(),
) -> MinerReport:
    """Analyse the miners of a warehouse.

    Several validators' answers count together where no order matters; first answers to an image,
    periods and tenures are counted within each one's life.

    Args:
        connection: to a warehouse.
        choice: whose log.
        clone_settings: of clones.
        memorisation_settings: of memorised images.
        model_settings: of the item-response model.

    Raises:
        QueryError: the store holds no answer, or no such validator or run.
    """
    lives = stage(connection, choice)
    habits, answers = answer_habits(connection), miner_answers(connection)
    clones = clone_groups(answers, clone_settings)
    model, no_model = _model(answers, model_settings)
    labels = None if model is None else wrong_labels(answers, model.abilities, clones.groups)
    return MinerReport(
        lives=lives,
        counts=_counts(habits, answers),
        habits=habits,
        tenures=tenures(connection, lives),
        clones=clones,
        memorisation=memorisation_tests(answers, memorisation_settings),
        model=model,
        wrong_labels=labels,
        no_model=no_model,
    )


def hardest(model: ItemResponse, limit: int) -> pl.DataFrame:
    """The `limit` challenges of greatest difficulty, rows of `model.challenges`."""
    return model.challenges.sort("difficulty", descending=True, maintain_order=True).head(limit)


def _model(
    answers: MinerAnswers, settings: ItemResponseSettings
) -> tuple[ItemResponse | None, str | None]:
    try:
        return item_response(answers, settings), None
    except QueryError as error:
        return None, str(error)


def _counts(habits: list[Habits], answers: MinerAnswers) -> AnswerCounts:
    asked = sum(miner.asked for miner in habits)
    silent = sum(miner.silent for miner in habits)
    not_finite = sum(miner.not_finite for miner in habits)
    used = len(answers.prediction)
    return AnswerCounts(
        challenges=answers.challenges.height,
        miners=len(answers.miners),
        asked=asked,
        used=used,
        silent=silent,
        not_finite=not_finite,
        asked_again=asked - silent - not_finite - used,
    )
