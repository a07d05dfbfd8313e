"""The candidates that this package offers; an entry point in pyproject.toml names them."""

from typing import TYPE_CHECKING

from data.terminal import note
from model.champion.command_line_name import FORM as CHAMPION_FORM
from model.champion.command_line_name import checkpoint_name, names_champion
from model.checkpoint.command_line_name import FORM, names_checkpoint
from model.export.command_line_name import FORM as EXPORT_FORM
from model.export.command_line_name import names_export
from replay.candidates.registry import CandidateAlias, CandidateType, LoadSettings

if TYPE_CHECKING:
    from replay.candidates.predictor import Predictor

_ORANGE = "orange"


def _names_orange(name: str) -> bool:
    return name == _ORANGE


def _orange(_name: str, _settings: LoadSettings) -> "Predictor":
    from model.baselines.orange import OrangeBaseline  # noqa: PLC0415

    return OrangeBaseline()


def _checkpoint(name: str, settings: LoadSettings) -> "Predictor":
    from model.checkpoint.predictor import load_named  # noqa: PLC0415

    return load_named(name, settings, note)


def _export(name: str, _settings: LoadSettings) -> "Predictor":
    from model.export.predictor import load_named  # noqa: PLC0415

    return load_named(name)


CANDIDATES = (
    CandidateType(_ORANGE, _names_orange, _orange),
    CandidateAlias(CHAMPION_FORM, names_champion, checkpoint_name),
    # before checkpoints, which any folder is taken for
    CandidateType(EXPORT_FORM, names_export, _export),
    CandidateType(FORM, names_checkpoint, _checkpoint),
)
