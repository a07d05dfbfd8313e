"""The verdict on a candidate is that of `compare`, with its intervals."""

from streamlit.testing.v1 import AppTest

from analytics.warehouse.connection import reading
from data.store import Store
from replay.comparing.with_miners import compare_with_miners

SCRIPT = """
from analytics.warehouse.connection import reading
from dashboards.comparing.verdict import draw_verdict
from data.remote_store.opening import open_store
from replay.comparing.with_miners import compare_with_miners

with reading(open_store()) as connection:
    draw_verdict(compare_with_miners(connection, "replay-a"))
"""


WITH_CLONES = """
from dataclasses import replace

from analytics.comparison.rank import Rank
from analytics.warehouse.connection import reading
from dashboards.comparing.verdict import draw_verdict
from data.remote_store.opening import open_store
from replay.comparing.with_miners import compare_with_miners

with reading(open_store()) as connection:
    compared = compare_with_miners(connection, "replay-a")
once = Rank(rank=3, best=2, worst=5, of=8, left_out=0)
draw_verdict(replace(compared, ranks_without_clones={"mcc": once}, clones_left_out=12))
"""


def test_the_sentence_and_the_table_hold_what_compare_says(replayed: Store) -> None:
    with reading(replayed) as connection:
        compared = compare_with_miners(connection, "replay-a")
    drawn = AppTest.from_string(SCRIPT, default_timeout=300).run()
    assert not drawn.exception
    rank = compared.ranks["mcc"]
    left_out = sum(compared.left_out.values())
    sentence = drawn.markdown[0].value
    assert f"MCC of {compared.candidate.mcc:.2f}" in sentence
    assert f"on {compared.candidate.n} challenges, {left_out} left out" in sentence
    assert f"rank {rank.rank} of {rank.of}" in sentence
    assert f"interval {rank.best} to {rank.worst}" in sentence
    if compared.baselines:
        beside = drawn.dataframe[0].value
        assert list(beside["Beside"]) == [baseline.name for baseline in compared.baselines]
        assert list(beside["MCC"]) == [baseline.score.mcc for baseline in compared.baselines]
    texts = [text.value for text in drawn.text]
    assert texts == [f"No {name}: {why}" for name, why in compared.without_baseline.items()]


def test_the_rank_without_clones_is_said_where_there_are_clones(replayed: Store) -> None:
    drawn = AppTest.from_string(WITH_CLONES, default_timeout=300).run()
    assert not drawn.exception
    said = "With one miner of each group of clones (12 clones left out) it is rank 3 of 8"
    assert f"{said} (interval 2 to 5)." in drawn.markdown[0].value
