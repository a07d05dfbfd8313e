"""Stands for `streetreplay retrain`: says something hostile, then waits until it is stopped."""

import sys
import time

HOSTILE = "<script>alert(1)</script> **b** :red[x] $a$"

if __name__ == "__main__":
    sys.stderr.write(f"\x1b[31m{HOSTILE}\x1b[0m\x07\n")
    try:
        time.sleep(600)
    except KeyboardInterrupt:
        raise SystemExit(1) from None
