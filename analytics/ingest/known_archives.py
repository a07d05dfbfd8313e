"""Which archives need not be unpacked: the store holds all logs of them as they are."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from analytics.ingest.known_log import KnownLog
from data.archives.members import MARK
from data.logs.file_names import path_text
from data.logs.log_kind import LogFile, LogKind
from data.logs.log_state import log_state, member_state

_INSIDE = f"{MARK}/"


class KnownArchives:
    """The archives of a store, by the logs that it holds of them."""

    def __init__(self, known: Sequence[KnownLog]) -> None:
        """Sort logs, each read by the present readers, by the archives that they may be in."""
        self._archives = {log.path: log for log in known}
        self._members: defaultdict[str, list[KnownLog]] = defaultdict(list)
        for log in known:
            at = -1
            while (at := log.path.find(_INSIDE, at + 1)) >= 0:
                self._members[log.path[:at]].append(log)

    def logs_of(self, archive: Path) -> list[str]:
        """The paths of the logs of an archive; none unless the store holds all, as they are."""
        path = path_text(archive.resolve())
        if not (members := self._members.get(path)):
            return []
        if not (state := log_state(LogFile(archive, LogKind.ARCHIVE))):
            return []
        itself = self._archives.get(path)
        own = [path] if itself and itself.state == state else []
        counts = {int(log.state.rpartition(" ")[2]) for log in members if " of " in log.state}
        for count in counts:
            held = [
                log.path for log in members if log.state == member_state(state, log.path, count)
            ]
            if held and len(held) + len(own) == count:
                return held + own
        return []

    def __contains__(self, archive: Path) -> bool:
        return bool(self.logs_of(archive))
