"""A checkpoint that the command line names, as a candidate."""

from data.terminal import note
from model.checkpoint.command_line_name import checkpoint_name
from model.checkpoint.predictor import CheckpointPredictor, PredictorSettings, load_predictor
from replay.candidates.registry import LoadSettings


def load_named(name: str, settings: LoadSettings) -> CheckpointPredictor:
    """The candidate that `[checkpoint:]DIR[#keep=N]` names; errors as `load_predictor`."""
    named = checkpoint_name(name)
    chosen = PredictorSettings(metadata=settings.metadata, keep=named.keep)
    return load_predictor(named.folder, settings.store, chosen, note)
