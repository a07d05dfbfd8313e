"""The golden challenges of e9, some of their answers made silent, NaN, or another class."""

import pytest

from analytics.ingest.ingest import ingest
from data.store import Store
from tests.analytics.standings.ordered import change
from tests.conftest import GOLDEN

# of 60 challenges as 10 miners answered them; a uid has two hotkeys, as its miner was replaced
_ALTERED = """
UPDATE responses SET uid = slot, hotkey = 'hotkey-' || slot;
UPDATE responses SET hotkey = 'replacement' FROM media
WHERE media.challenge_id = responses.challenge_id AND uid = 3 AND position >= 25;
UPDATE responses SET prediction = -1 FROM media
WHERE media.challenge_id = responses.challenge_id AND uid = 4 AND position % 3 = 0;
UPDATE responses SET prediction = NULL FROM media
WHERE media.challenge_id = responses.challenge_id AND uid = 5 AND position % 7 = 0;
UPDATE responses SET prediction = 1.7 FROM media
WHERE media.challenge_id = responses.challenge_id AND uid = 6 AND position % 5 = 0;
UPDATE responses SET prediction = 0.5 FROM media
WHERE media.challenge_id = responses.challenge_id AND uid = 7 AND position % 5 = 0;
"""


@pytest.fixture(scope="package")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One validator's log of ten uids."""
    store = Store(tmp_path_factory.mktemp("standings"))
    ingest(store, [GOLDEN / "e9" / "challenges.jsonl"])
    change(store, _ALTERED)
    return store
