"""What every page says first."""

import pytest

from data.store import Store
from tests.dashboards.conftest import change
from tests.dashboards.page import plain, the_page

_FALSE_RUN = """
INSERT INTO runs (run_id, file, segment, config, finished, steps, hotkey, signature)
VALUES ('ab12cd34', 'r', 0, '{}', false, 0, '5F<b>*x*</b>' || chr(27), 'false')
"""


@pytest.mark.parametrize("name", ["overview", "miners", "my_miner", "comparison"])
def test_every_page_says_that_a_hotkey_did_not_sign(replayed: Store, name: str) -> None:
    assert "SIGNATURE FALSE" not in plain(the_page(name))
    change(replayed, _FALSE_RUN)
    page = the_page(name)
    assert not page.exception
    (said,) = [text.value for text in page.text if "SIGNATURE FALSE" in text.value]
    assert said == (
        "SIGNATURE FALSE: run ab12cd34 names hotkey 5F<b>*x*</b>\\x1b that did not sign it"
    )
