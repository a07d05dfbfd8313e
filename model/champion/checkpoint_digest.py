"""One hash of a whole checkpoint: by it a folder that was altered is recognised."""

import hashlib
import json
from pathlib import Path

from data.digests import file_digest
from model.checkpoint.card import CARD, read_card_and_digests
from model.checkpoint.committed_files import committed_file
from model.checkpoint.unfinished import check_finished


def checkpoint_digest(folder: Path) -> str:
    """SHA-256 over the names and hashes of a checkpoint's card, weights and training rows.

    Each file is read, and compared with the hash in the card; other files in the folder do not
    count.

    Raises:
        RunError: no whole checkpoint, or a training into this folder is not done.
    """
    check_finished(folder, earlier=(folder / CARD).is_file())
    _, digests = read_card_and_digests(folder)
    for name, digest in digests.items():
        committed_file(folder, name, digest)
    files = {CARD: file_digest(folder / CARD), **digests}
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
