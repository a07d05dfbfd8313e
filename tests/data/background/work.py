"""What the tests run: its first argument says how it ends."""

import sys
import time

if __name__ == "__main__":
    how = sys.argv[1]
    print(*sys.argv[1:])  # noqa: T201
    if how == "badly":
        raise SystemExit(3)
    if how == "words":
        raise SystemExit("what went wrong")
    if how == "raises":
        raise ValueError("what went wrong")
    if how in ("sleeps", "tidies"):
        sys.stderr.write("asleep\n")
        try:
            time.sleep(600)
        finally:
            sys.stderr.write("tidied\n")
