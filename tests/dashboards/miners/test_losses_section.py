"""The sentence on where a miner loses."""

from streamlit.testing.v1 import AppTest

from analytics.standings.lost_challenges import SliceLosses
from tests.dashboards.page import rendered


def _draw(slices: "list[SliceLosses]") -> None:
    # its text alone becomes a page
    from dashboards.miners.losses_section import draw_slices  # noqa: PLC0415

    draw_slices(slices)


def said(*slices: SliceLosses) -> str:
    page = AppTest.from_function(_draw, default_timeout=300, kwargs={"slices": list(slices)}).run()
    assert not page.exception
    return rendered(page)


def test_silence_counts_also_where_it_never_answered() -> None:
    answered = SliceLosses("label", "0 · no roadwork", 51, 1, 7, 0.1)
    never = SliceLosses("label", "1 · roadwork", 50, 50, 0, None)
    assert "Wrong in **7** of 50 answers, silent in 51 more." in said(answered, never)
    assert "It answered nothing" in said(never)
