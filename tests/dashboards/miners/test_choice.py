"""Which miner a text names, and how links write it."""

from urllib.parse import parse_qs, urlsplit

import pytest

from analytics.miners.answers import Miner
from analytics.standings.leaderboard import Standing
from dashboards.miners.choice import challenge_link, find_miner, miner_link, shown_hotkey
from tests.dashboards.page import HOSTILE


def standing(uid: int, hotkey: str, *, asked: int = 9, is_present: bool = True) -> Standing:
    return Standing(Miner(uid, hotkey), asked, 0, 0, None, None, None, is_present, last_time=None)


BOARD = [
    standing(3, "5abcOLD", asked=90, is_present=False),
    standing(3, "5abcNEW"),
    standing(7, "5xyz"),
    standing(8, "5xyz", asked=99),
    standing(12, "12"),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", BOARD[1]),
        (" 3 ", BOARD[1]),
        ("3:5abcOLD", BOARD[0]),
        ("3:nobody", BOARD[1]),
        ("5abcOLD", BOARD[0]),
        ("5abc", BOARD[1]),
        ("5xyz", BOARD[3]),
        ("7:5xyz", BOARD[2]),
        ("12", BOARD[4]),
        ("", None),
        ("99", None),
        ("9" * 5000, None),
        ("²", None),
        ("zzz", None),
    ],
)
def test_find_miner(text: str, expected: Standing | None) -> None:
    assert find_miner(BOARD, text) == expected


def test_links_hold_any_hotkey() -> None:
    address = urlsplit(miner_link(Miner(3, f"{HOSTILE}&x=#/ü")))
    assert address.path == "/my_miner"
    assert parse_qs(address.query) == {"miner": [f"3:{HOSTILE}&x=#/ü"]}
    assert challenge_link("a&b") == "/challenges?challenge=a%26b"


def test_shown_hotkey() -> None:
    hotkey = "5dyK77rLT8byoYdd9A3xrfyRq4o7RHmbDSBU31wPe48sV6xR"
    assert shown_hotkey(hotkey) == "5dyK77…6xR"
    assert shown_hotkey("short") == "short"
    assert "\x1b" not in shown_hotkey("\x1b[2J" * 20)
