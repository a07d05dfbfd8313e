"""A checkpoint's card, `model.json`: which model it is, on which backbone, and how it was trained.

The card also holds the SHA-256 of each other file of its checkpoint.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, cast, get_args

from data.errors import RunError
from data.versioned_json import read_versioned_json
from model.backbone.settings import Trained
from model.checkpoint.unfinished import check_finished
from model.network.settings import ModelSettings
from replay.candidates.predictor import TRAINING_ROWS

CARD = "model.json"
WEIGHTS = "model.safetensors"

MODEL, SCORER, BACKBONE = "model", "scorer", "backbone"
"""Parts of a model, as a card names those that were trained."""

BACKBONE_KEY = "backbone"
"""Key of a card's `training`: where the backbone's weights come from, and what was trained."""

# The key of each file's hash in the card.
_DIGEST_KEYS = {WEIGHTS: "sha256", TRAINING_ROWS: "training_rows_sha256"}
_FORMAT = "streetreplay-model"
# Raised when older code would read new files wrongly, or the other way round.
_VERSION = 3
_TYPES = (
    ("backbone", str, "text"),
    ("backbone_fingerprint", str, "text"),
    ("views", dict, "an object"),
    ("training", dict, "an object"),
)
_PICKLED = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")


@dataclass(frozen=True)
class ModelCard:
    """What a checkpoint is, beside its weights.

    `backbone` is a timm name, `backbone_fingerprint` identifies its weights, `views` is the
    geometry of the views and `training` where the weights come from: both of JSON's own types.
    `training` says under `trained` which parts were trained (MODEL, SCORER, BACKBONE), and under
    `metadata` whether the model was trained with metadata; `backbone_in_card` adds BACKBONE_KEY.
    """

    settings: ModelSettings
    backbone: str
    backbone_fingerprint: str
    views: Mapping[str, Any]
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def trained(self) -> Sequence[str]:
        """The parts that were trained; none where the card does not say."""
        parts = self.training.get("trained")
        return parts if isinstance(parts, list) else []

    @property
    def backbone_trained(self) -> Trained:
        """What of the backbone was trained: nothing, adapters, the last blocks, or all.

        Raises:
            RunError: the card says something else.
        """
        described = self.training.get(BACKBONE_KEY)
        trained = described.get("trained", "none") if isinstance(described, dict) else "none"
        if trained not in get_args(Trained):
            raise RunError(
                f"trained of the backbone in {CARD}",
                found=repr(trained),
                expected=", ".join(get_args(Trained)),
            )
        return cast(Trained, trained)

    def check_metadata(self, what: str) -> None:
        """Refuse to give metadata to a model, unless it was trained with it.

        Raises:
            RunError: the card says image-only, or does not say.
        """
        with_metadata = self.training.get("metadata")
        if with_metadata is not True:
            trained = (
                "trained on images alone" if with_metadata is False else "whose card does not say"
            )
            raise RunError(
                "--metadata",
                found=f"{what}, {trained}",
                expected="a checkpoint that was trained with --metadata",
                remedy="leave out --metadata",
            )

    def check_backbone(self, name: str, fingerprint: str, views: Mapping[str, Any]) -> None:
        """Refuse features of another backbone or geometry: they would fit, and mean nothing.

        Raises:
            RunError: what differs, with both sides.
        """
        comparisons = (
            ("backbone", name, self.backbone),
            ("weights of the backbone", fingerprint, self.backbone_fingerprint),
            ("geometry of the views", dict(views), dict(self.views)),
        )
        for what, actual, expected in comparisons:
            # as JSON: a loaded card has lists where settings have tuples
            if json.dumps(actual, sort_keys=True) != json.dumps(expected, sort_keys=True):
                raise RunError(
                    what,
                    found=actual,
                    expected=f"{expected}, which the checkpoint was trained with",
                )


def card_content(card: ModelCard, digests: Mapping[str, str]) -> bytes:
    """The card as the bytes of its JSON file, with the hash of each other file by its name."""
    written = {"format": _FORMAT, "version": _VERSION, **asdict(card)}
    written |= {key: digests.get(name) for name, key in _DIGEST_KEYS.items()}
    return (json.dumps(written, indent=1) + "\n").encode()


def read_card(folder: Path) -> ModelCard:
    """The card in a checkpoint's folder; no other file is opened.

    Raises:
        RunError: no card, or one that is damaged, of another format or without a part; or a
            training into this folder is not done.
    """
    check_finished(folder, earlier=(folder / CARD).is_file())
    return read_card_and_digests(folder)[0]


def read_card_and_digests(folder: Path) -> tuple[ModelCard, dict[str, str]]:
    """The card, and the SHA-256 of each other file by its name, in an unfinished folder too.

    Raises:
        RunError: no whole card, as in `read_card`.
    """
    path = folder / CARD
    _check_card_exists(folder)
    written = read_versioned_json(
        path,
        (_FORMAT, _VERSION),
        remedy="train again, or use the version of StreetReplay that wrote it",
    )
    try:
        digests = {name: written[key] for name, key in _DIGEST_KEYS.items()}
        card = _parse_card(written, path)
    except KeyError as error:
        raise RunError(str(path), found=f"no {error}", expected="every part of a card") from error
    if digests[WEIGHTS] is None:
        raise RunError(str(path), found=f"no hash of {WEIGHTS}", expected="its SHA-256")
    return card, {name: str(digest) for name, digest in digests.items() if digest is not None}


def committed_digests(folder: Path) -> dict[str, str]:
    """Hashes in the folder's card; none without a whole card, for then no save was committed."""
    try:
        return read_card_and_digests(folder)[1]
    except RunError:
        return {}


def _check_card_exists(folder: Path) -> None:
    if (folder / CARD).is_file():
        return
    given = [folder] if folder.is_file() else sorted(folder.glob("*"))
    pickled = [path.name for path in given if path.suffix.lower() in _PICKLED]
    if pickled:
        raise RunError(
            f"checkpoint {folder}",
            found=pickled[0],
            expected=f"{CARD} and {WEIGHTS} (pickled weights can run code: they are never opened)",
        )
    problem = f"no {CARD}" if folder.is_dir() else "no such folder"
    raise RunError(f"checkpoint {folder}", found=problem, expected=f"{CARD} and {WEIGHTS}")


def _parse_card(written: dict[str, Any], path: Path) -> ModelCard:
    parts = {part.name: written[part.name] for part in fields(ModelCard)}
    for name, kind, words in _TYPES:
        if not isinstance(parts[name], kind):
            raise RunError(f"{name} in {path}", found=repr(parts[name]), expected=words)
    return ModelCard(**parts | {"settings": _parse_settings(parts["settings"], path)})


def _parse_settings(written: Any, path: Path) -> ModelSettings:
    names = {setting.name for setting in fields(ModelSettings)}
    given = set(written) if isinstance(written, dict) else set()
    if given != names:
        missing, unknown = sorted(names - given), sorted(given - names)
        raise RunError(
            f"settings in {path}",
            found=f"unknown {unknown}, missing {missing}",
            expected="exactly the settings of this version",
        )
    return ModelSettings(**written)
