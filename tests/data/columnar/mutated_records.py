"""Lines of a log, most of them spoiled: what a reader of untrusted logs gets right or refuses."""

import copy
import json
import math
import random
from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]

_VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        7,
        1.0,
        0.0,
        -0.0,
        -1.0,
        0.5,
        1.7,
        math.nan,
        math.inf,
        -math.inf,
    ),
    *(1e308, 1e39, 1e300, 3.4028235e38, 1e-320, 2**31, 2**53 + 1, 2**63, 2**64, 10**30, -(2**63)),
    *("", " ", "x", "1", "3.0", "Unknown", "no-description", "[]", "['Sunny']", "['a', \"b\"]"),
    *("[39.77, -86.18]", "[-86.18, 39.77]", "(1,2)", "boston", "a/b.parquet", "real", "api"),
    *('"', "[", "\\", "é", "\u0000", "\u2028", "\ud800", "\U0001f6a7", "'; drop table media; --"),
    *("x" * 5000, [], [1], [[1]], [1, [2]], [True], [None], ["a"], {}, {"a": 1}, {"a": {"b": []}}),
)
_KEYS = ("new_key", "metadata.gps", "data_aug_params_x", "miner_x/uid_1", "task_id", "_step", 'q"[')


def mutated_lines(records: list[Json], count: int, seed: int) -> Iterator[bytes]:
    """`count` lines without their ends: a fifth as they are, the others with one to three changes.

    Args:
        records: Media records to change.
        count: of lines.
        seed: of what is drawn.
    """
    draw = random.Random(seed)  # noqa: S311
    for number in range(count):
        # a number of its own keeps records from being the same challenge
        record = copy.deepcopy(draw.choice(records)) | {"number": number}
        changes = 0 if number % 5 == 0 else draw.randint(1, 3)
        for _ in range(changes):
            if draw.random() < 0.7:
                _change_value(record, draw)
        line = json.dumps(record, ensure_ascii=draw.random() < 0.8).encode("utf-8", "surrogatepass")
        if changes and draw.random() < 0.5:
            line = draw.choice(_TEXT_CHANGES)(line, draw)
        yield line.replace(b"\n", b" ")


def _change_value(record: Json, draw: random.Random) -> None:
    """Change one value of a record, however deep it is."""
    inside: Any = record
    while True:
        if not inside:
            return
        key = draw.choice(list(inside) if isinstance(inside, dict) else range(len(inside)))
        nested = isinstance(inside[key], dict | list) and inside[key]
        if nested and draw.random() < 0.7:
            inside = inside[key]
            continue
        kind = draw.randrange(10)
        if kind == 0:
            del inside[key]
        elif kind == 1 and isinstance(inside, list):
            inside.append(inside[key])
        elif kind == 1:
            inside[draw.choice(_KEYS)] = draw.choice(_VALUES)
        elif kind == 2 and isinstance(inside, list):
            inside[key] = draw.choice(inside)
        elif kind == 3 and isinstance(inside[key], int | float) and abs(inside[key]) < 1e9:
            inside[key] = float(inside[key]) if isinstance(inside[key], int) else int(inside[key])
        elif kind == 4 and isinstance(inside[key], list):
            inside[key] = inside[key][:1] or None
        elif kind == 5 and isinstance(inside[key], list) and len(inside[key]) == 1:
            inside[key] = inside[key][0]
        else:
            inside[key] = draw.choice(_VALUES)
        return


def _at_random(line: bytes, draw: random.Random) -> int:
    return draw.randrange(len(line))


def _key_twice(line: bytes, draw: random.Random) -> bytes:
    """Put a key of the record into one of its objects, perhaps a second time."""
    record = draw.choice([b'"label": 0, ', b'"scores": [1], ', b'"gps": null, ', b'"angle": 1.5, '])
    places = [at for at in range(len(line)) if line[at : at + 1] == b"{"]
    at = draw.choice(places) + 1
    return line[:at] + record + line[at:]


def _list_within(line: bytes, draw: random.Random) -> bytes:
    places = [at for at in range(len(line) - 1) if line[at : at + 2] == b", "]
    at = draw.choice(places) + 2
    end = min((e for e in (line.find(b",", at), line.find(b"]", at)) if e >= 0), default=len(line))
    return line[:at] + b"[" + line[at:end] + b"]" + line[end:]


def _bytes_changed(line: bytes, draw: random.Random) -> bytes:
    changed = bytearray(line)
    for _ in range(draw.randint(1, 4)):
        changed[_at_random(line, draw)] = draw.randrange(256)
    return bytes(changed)


def _escaped(line: bytes, draw: random.Random) -> bytes:
    """Write a character of a text, a key or the structure as an escape."""
    at = _at_random(line, draw)
    return line[:at] + b"\\u%04x" % line[at] + line[at + 1 :]


_TEXT_CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _key_twice,
    _key_twice,
    _list_within,
    _list_within,
    _bytes_changed,
    _escaped,
    _escaped,
    lambda line, draw: line[: _at_random(line, draw)],
    lambda line, draw: line[_at_random(line, draw) :],
    lambda line, draw: line.replace(b"1.0", draw.choice([b"1", b"1.00", b"10e-1", b"01", b"+1"])),
    lambda line, draw: line.replace(b"0.0,", draw.choice([b"-0.0,", b"-0,", b"0e0,", b".0,"]), 3),
    lambda line, draw: line.replace(b", ", draw.choice([b",", b" ,\t", b",\r", b",\x0c", b",,"])),
    lambda line, draw: line.replace(b"[", b"[ ") + draw.choice([b"\r", b"  ", b",", b"]", b"\0\0"]),
    lambda line, draw: draw.choice([b"\xef\xbb\xbf", b" ", b"[", b"\0", b"x", b"\xc2\xa0"]) + line,
    lambda line, _: b"[" + line + b"]",
    lambda line, _: line + line,
    lambda line, draw: line.replace(b"null", draw.choice([b"NaN", b"nul", b"Infinity", b"1e999"])),
    lambda line, draw: line.replace(
        b"e", draw.choice([b"\xff", b"\xc3\xa9", b"\\ud83d", b"\\n"]), 1
    ),
)
