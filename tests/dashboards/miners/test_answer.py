"""The sentences on how a miner stands."""

from dataclasses import replace

from streamlit.testing.v1 import AppTest

from analytics.miners.answers import Miner
from analytics.standings.history import HistoryPoint
from analytics.standings.leaderboard import Standing

OWN = Standing(Miner(5, "h"), 220, 20, 0, 0.8, 0.4, 0.3, is_present=True, last_time=None)
POINT = HistoryPoint(
    life=0,
    spell=1,
    hotkey="h",
    answer_number=220,
    asked=220,
    ordinal=999,
    time=None,
    challenge_id="c",
    mean_reward=0.4,
    silence=0.1,
    recent_answers=100,
    recent_right=60,
    earlier_answers=100,
    earlier_right=90,
    mcc=0.7,
    ema=0.3,
    median_ema=0.5,
    rank=9,
    ranked=12,
)


def _draw(chosen: "Standing", points: "list[HistoryPoint]") -> None:
    # its text alone becomes a page
    from dashboards.miners.answer import draw_answer, draw_numbers  # noqa: PLC0415

    draw_answer(chosen, [chosen], points, (0.7, 0.9))
    draw_numbers(chosen, points)


def said(chosen: Standing, *points: HistoryPoint) -> str:
    page = AppTest.from_function(
        _draw, default_timeout=300, kwargs={"chosen": chosen, "points": list(points)}
    ).run()
    assert not page.exception
    return "\n".join(str(element.value) for element in page.markdown)


def test_since_when_it_is_behind() -> None:
    before = replace(POINT, answer_number=100, ema=0.6)
    since = replace(POINT, answer_number=150)
    assert "since its answer 150 of 220" in said(OWN, before, since, POINT)
    assert "in all of this log" in said(OWN, since, POINT)
    assert "**Ahead of the median miner**" in said(OWN, POINT, replace(POINT, ema=0.5))
    assert "whether it is ahead cannot be said" in said(OWN, replace(POINT, ema=None))
    assert "whether it is ahead cannot be said" in said(OWN)
    assert "no longer holds the uid" in said(replace(OWN, is_present=False), POINT)


def test_a_score_of_0_is_not_given_a_rank() -> None:
    text = said(OWN, replace(POINT, ema=0.0, rank=None, ranked=200))
    assert "EMA **0.000**, **unranked**: not one of the 200 uids with a score above 0" in text
    assert "Behind the median" in text
    assert "rank **9 of 12**" in said(OWN, POINT)
    nobody = replace(POINT, ema=0.0, rank=None, ranked=0, median_ema=None)
    assert "No uid of this log has a score (EMA) above 0" in said(OWN, nobody)


def test_a_fall_beyond_chance_and_one_that_may_be_chance() -> None:
    assert "**-30 points** (95% -41 to -18)" in said(OWN, POINT)
    assert "**-2 points** (95% -11 to +7, which may be chance)" in said(
        OWN, replace(POINT, recent_right=88)
    )
    young = replace(POINT, recent_answers=30, recent_right=20, earlier_answers=0, earlier_right=0)
    assert "right in 20 of its last 30 answers; it has given no more" in said(OWN, young)


def test_silence_alone() -> None:
    silent = replace(OWN, asked=7, silent=7, mcc=None)
    text = said(silent, replace(POINT, mcc=None, mean_reward=None))
    assert "answered none of the 7 challenges" in text
    assert "Silent in **100.0%**" in text
