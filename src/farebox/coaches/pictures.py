"""What watchers are shown of a run: statuses of its seats on a stretch, and how they changed."""

from collections.abc import Iterable, Sequence
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

import msgspec

from farebox.coaches.views import STATUSES
from farebox.inventory import RunState

W = TypeVar("W")

AVAILABLE, MINE, LOCKED, OCCUPIED, BLOCKED = range(len(STATUSES))
"""What stands more in the way of others has the greater number."""

_CODES = {"held": LOCKED, "confirmed": OCCUPIED, "blocked": BLOCKED}


def codes_of(state: RunState, seats: int, first_slot: int, end_slot: int, owner: str | None) -> bytes:
    """The status of each unit on a stretch as `owner` sees it, as indexes of `STATUSES`."""
    codes = bytearray(seats)
    for share in state.shares:
        code = _CODES.get(share.state, LOCKED)
        if code == LOCKED and share.owner == owner:
            code = MINE
        for unit, slot in zip(share.units, share.slots, strict=True):
            if first_slot <= slot < end_slot and unit < seats and codes[unit] < code:
                codes[unit] = code
    return bytes(codes)


class Message:
    """Something to send to watchers; one for all who see the same picture."""

    __slots__ = ("body", "type", "version")

    def __init__(self, kind: Literal["snapshot", "delta"], version: int, content: dict[str, Any]) -> None:
        self.type = kind
        self.version = version
        self.body = msgspec.json.encode({"type": kind} | content)


class Picture(Generic[W]):
    """The seats on a stretch as some watchers see them.

    Attributes:
        version: grows by one with each change.
    """

    __slots__ = ("_departure_id", "_numbers", "_snapshot", "_watchers", "codes", "version")

    def __init__(self, departure_id: UUID, numbers: Sequence[str], codes: bytes, *, version: int = 1) -> None:
        self._departure_id = departure_id
        self._numbers = numbers
        self._snapshot: Message | None = None
        self._watchers: dict[str | None, set[W]] = {}
        self.codes = codes
        self.version = version

    def add(self, owner: str | None, watcher: W) -> None:
        self._watchers.setdefault(owner, set()).add(watcher)

    def remove(self, owner: str | None, watcher: W) -> None:
        watchers = self._watchers[owner]
        watchers.discard(watcher)
        if not watchers:
            del self._watchers[owner]

    def take_away(self, owner: str) -> set[W]:
        """The watchers who have this owner's credential; they do not belong to this picture any more."""
        return self._watchers.pop(owner, set())

    def owners(self) -> Iterable[str | None]:
        return self._watchers.keys()

    def watchers(self) -> list[W]:
        return [watcher for watchers in self._watchers.values() for watcher in watchers]

    def twin(self) -> "Picture[W]":
        """The same picture for watchers who from now on see something else."""
        return Picture(self._departure_id, self._numbers, self.codes, version=self.version)

    def snapshot(self) -> Message:
        if self._snapshot is None:
            seats = self._seats(range(len(self.codes)))
            content = {"tripId": self._departure_id, "version": self.version, "seats": seats}
            self._snapshot = Message("snapshot", self.version, content)
        return self._snapshot

    def change_to(self, codes: bytes) -> Message | None:
        """What has changed; `None`: nothing that these watchers could see."""
        if codes == self.codes:
            return None
        changed = [unit for unit, code in enumerate(codes) if code != self.codes[unit]]
        self.codes = codes
        self.version += 1
        self._snapshot = None
        content = {"since": self.version - 1, "version": self.version, "seats": self._seats(changed)}
        return Message("delta", self.version, content)

    def _seats(self, units: Iterable[int]) -> list[dict[str, str]]:
        return [{"number": self._numbers[unit], "status": STATUSES[self.codes[unit]]} for unit in units]
