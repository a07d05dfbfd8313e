"""What `process.start` runs: a module as the main one, whose start and exit status are recorded.

`python -m data.background.recorded FOLDER MODULE [ARGUMENT...]`
"""

import runpy
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from data.background.identity import own_identity
from data.background.process import record_start, record_status

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run_recorded(folder: Path, module: str, arguments: Sequence[str]) -> int:
    """Run a module as `python -m` does, and record when it began and how it ended.

    Returns:
        Its exit status; 1 where it raised, or was told to end before it minded signals itself.

    Raises:
        WriteError: the folder cannot be written.
    """
    for number in _SIGNALS:
        signal.signal(number, signal.default_int_handler)
    record_start(folder, arguments, own_identity())
    status = _run(module, arguments)
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    record_status(folder, status)
    return status


def _run(module: str, arguments: Sequence[str]) -> int:
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except KeyboardInterrupt:
        return 1
    except BaseException:  # noqa: BLE001  (the edge of the process)
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(run_recorded(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
