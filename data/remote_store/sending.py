"""Send what work changed in a working copy back to the server."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from data.progress import Progress
from data.remote_store.copy_folder import CopyFolder
from data.remote_store.copy_state import CopyState, Known, changed_here
from data.remote_store.differences import ToSend, to_send
from data.remote_store.kept_files import (
    LAST,
    WAREHOUSE,
    LocalFile,
    is_guarded,
    is_kept,
    local_files,
)
from data.remote_store.listing import Listing, content_md5, list_place, version_path
from data.remote_store.transfers import (
    Transfer,
    put_files,
    put_guarded,
    refuses_second,
    remove_files,
    same_content,
)
from data.terminal import note

# the newest and the one before, which somebody may be fetching
_KEPT_VERSIONS = 2


def send(copy: CopyFolder, progress: Progress, is_sent: Callable[[str], bool] = is_kept) -> None:
    """Send what changed here: first what others name, the warehouse last; then remove what was
    removed here.

    Args:
        copy: where it changed.
        progress: to report bytes to.
        is_sent: which files are sent or removed, by path in the store.

    Raises:
        StoreError: the server does not answer or refuses: the next send goes on; or a guarded file
            changed on both sides: all others are sent, and the one here is set aside.
    """
    remedy = f"what was done is kept in {copy.root}: the next command on this store sends it"
    with copy.moving_files(remedy):
        state = copy.read_state()
        here = local_files(copy.root)
        removed = list(filter(is_sent, copy.removed_here(state, here)))
        here = {name: file for name, file in here.items() if is_sent(name)}
        if not removed and not changed_here(state.files, here):
            return
        listing = list_place(copy.place)
        sending = _Sending(copy, listing, state, here, progress)
        lost = sending.send(to_send(listing, state.files, here, removed))
        copy.write_state(state)
        if lost:
            raise copy.replaced(lost, state)


@dataclass(frozen=True)
class _Sending:
    """A send: what was there when it began, what is known, and the files of this machine."""

    copy: CopyFolder
    listing: Listing
    state: CopyState
    here: dict[str, LocalFile]
    progress: Progress

    def send(self, changes: ToSend) -> list[str]:
        """Send files in their order; return the guarded ones that were changed on the server."""
        differing = [name for name in changes.both if not self._is_same(name)]
        if self.state.fetched is None:
            # what was known is lost, and these may be old: the next fetch sets them aside
            differing = [n for n in differing if is_guarded(n) or n in self.state.files]
        lost = [name for name in differing if is_guarded(name) and name in self.listing.files]
        names = [name for name in (*changes.put, *differing) if name not in lost]
        free = [name for name in names if not is_guarded(name)]
        put_files(self.copy.place, list(map(self._outgoing, free)), self.progress)
        guarded = sorted((name for name in names if is_guarded(name)), key=_place_in_order)
        lost += [name for name in guarded if not self._put_guarded(name)]
        if changes.removed:
            paths = [self.listing.files[name].path for name in changes.removed]
            remove_files(self.copy.place, paths)
        for name in changes.removed:
            del self.state.files[name]
        sent = [name for name in names if name not in lost]
        after = list_place(self.copy.place)
        for name in sent:
            self.state.files[name] = Known(self._token(name, after), self.here[name])
        if WAREHOUSE in sent and not self._clear_versions(after):
            lost.append(WAREHOUSE)
        return lost

    @property
    def _number(self) -> int:
        """That of the warehouse which is sent."""
        return self.listing.newest + 1

    def _is_same(self, name: str) -> bool:
        there = self.listing.files.get(name)
        return there is not None and self.copy.is_same(name, there, self.here, self.state)

    def _put_guarded(self, name: str) -> bool:
        """Send a guarded file; False where another machine was faster."""
        sent, there = self._outgoing(name), self.listing.files.get(name)
        if name == WAREHOUSE:
            self._try_condition()
            sent, there = self._outgoing(name, version_path(self.copy.place, self._number)), None
        try:
            put_guarded(self.copy.place, sent, there, self.progress)
        except Exception:  # whether its condition did not hold, each server says in other words
            now = list_place(self.copy.place)
            if now.token(name) == self.listing.token(name):
                raise
            # an answer that was lost, and asked for again, is no other machine's
            return name in now.files and same_content(
                self.copy.place, now.files[name], sent.local, thorough=True
            )
        return True

    def _try_condition(self) -> None:
        """Say so where nobody would notice that two publish at once; tried until it is found."""
        if self.state.refuses_second:
            return
        refuses = refuses_second(self.copy.place)
        self.state.refuses_second = refuses is True
        if refuses is False:
            note(
                f"store {self.copy.place.url}: if two machines publish at once, this server "
                "lets the second replace what the first one published: let one wait"
            )

    def _token(self, name: str, after: Listing) -> str:
        """The token of what was sent; none if it was replaced at once, so that this is fetched."""
        if name not in after.files or (name == WAREHOUSE and after.newest != self._number):
            return ""
        there = after.files[name]
        replaced = content_md5(there) is not None and not same_content(
            self.copy.place, there, self.copy.root / name, thorough=False
        )
        return "" if is_guarded(name) and replaced else there.token

    def _clear_versions(self, after: Listing) -> bool:
        """Remove old versions; False if the one that was sent is old itself.

        It was created where one of its number had been removed: others published meanwhile.
        """
        overtaken = self._number in after.versions and after.newest >= self._number + _KEPT_VERSIONS
        oldest = after.newest - _KEPT_VERSIONS + 1
        old = [path for number, path in after.versions.items() if number < oldest]
        if old:
            remove_files(self.copy.place, old)
        return not overtaken

    def _outgoing(self, name: str, path: str | None = None) -> Transfer:
        local = self.copy.root / name
        return Transfer(path or self.copy.place.of(name), local, self.here[name].size)


def _place_in_order(name: str) -> int:
    return LAST.index(name) if name in LAST else -1


def unsent(copy: CopyFolder) -> Sequence[str]:
    """The files that are not on the server as they are here, or are there and removed here."""
    state, here = copy.read_state(), local_files(copy.root)
    return [*changed_here(state.files, here), *copy.removed_here(state, here)]
