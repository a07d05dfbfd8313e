"""How the champion was trained, so that a challenger can be trained alike."""

from dataclasses import replace
from pathlib import Path

from data.errors import RunError
from data.settings_file import read_settings
from data.store import Store
from model.champion.champion import present_champion
from model.checkpoint.card import read_card
from model.optimization.config import TrainingConfig, training_config
from model.training.run_folder import SETTINGS


def training_of(store: Store, file: Path | None = None) -> TrainingConfig:
    """The settings in a file, else those of the champion's own training.

    Raises:
        RunError: as `settings_file`, or the file cannot be read.
    """
    defaults = TrainingConfig().tables
    kinds = {name: type(part) for name, part in defaults.items()}
    written = read_settings(file or settings_file(store), kinds)
    return training_config(
        {name: replace(part, **written.get(name, {})) for name, part in defaults.items()}
    )


def settings_file(store: Store) -> Path:
    """The file of settings of the champion's training, in its run's folder.

    Raises:
        RunError: no champion, one that was removed or altered, or its run is not in the store.
    """
    champion = present_champion(store)
    run_id = str(read_card(champion.folder).training.get("run_id", ""))
    file = store.runs / Path(run_id).name / SETTINGS
    if not run_id or not file.is_file():
        raise RunError(
            f"champion {champion.folder}",
            found=f"no settings of its training ({run_id or 'no run'}) in the store",
            expected="the run's folder",
            remedy="name a file of settings: --training FILE",
        )
    return file
