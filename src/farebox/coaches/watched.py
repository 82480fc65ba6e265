"""Runs that are being watched, and who watches them."""

from collections.abc import Callable

from farebox.coaches.pictures import Message, Picture, codes_of
from farebox.inventory import RunState, topics_of
from farebox.timetable import Departure, DepartureStamp

NEVER = float("inf")


class Watcher:
    """Somebody who looks at the seats of a departure on a stretch.

    Attributes:
        owner: the name under which they hold seats, if they can hold any.
        address: of their machine.
        kind: how they watch, for the metrics.
    """

    __slots__ = ("address", "end", "kind", "owner", "picture", "push", "run", "stretch")

    def __init__(self, run: "WatchedRun", stretch: tuple[int, int], owner: str | None, address: str, kind: str) -> None:
        self.run = run
        self.stretch = stretch
        self.owner = owner
        self.address = address
        self.kind = kind
        self.picture: Picture[Watcher] | None = None
        self.push: Callable[[Message], None] = lambda _: None
        self.end: Callable[[bool], object] = lambda _: None


class WatchedRun:
    """One run with its state, and the pictures of it by stretch and owner."""

    __slots__ = ("_numbers", "_pictures", "_state", "departure", "due", "read_at", "stamp", "topic", "watchers")

    def __init__(self, stamp: DepartureStamp, departure: Departure, state: RunState) -> None:
        self.stamp = stamp
        self.departure = departure
        (self.topic,) = topics_of([departure.inventory_id])
        self.watchers = 0
        self.due = NEVER
        self.read_at = -NEVER
        self._state = state
        self._numbers = tuple(seat.number for seat in departure.seat_plan.seats)
        self._pictures: dict[tuple[int, int, str | None], Picture[Watcher]] = {}

    def show(self, watcher: Watcher) -> Message:
        """Let a watcher have their picture: their own when they hold something here, else the one for everybody."""
        own = (*watcher.stretch, watcher.owner)
        key = own if own in self._pictures or watcher.owner in self._owners() else (*watcher.stretch, None)
        if key not in self._pictures:
            self._pictures[key] = Picture(self.departure.id, self._numbers, self._codes(*key))
        watcher.picture = self._pictures[key]
        watcher.picture.add(watcher.owner, watcher)
        return watcher.picture.snapshot()

    def hide(self, watcher: Watcher) -> None:
        if watcher.picture is not None:
            watcher.picture.remove(watcher.owner, watcher)
            watcher.picture = None
            self._forget_unseen()

    def change_to(self, state: RunState) -> list[tuple[Message, list[Watcher]]]:
        """Take over a new state; what must be said about it, and to whom."""
        if state.shares == self._state.shares:
            return []
        self._state = state
        self._part()
        news = []
        for key, picture in self._pictures.items():
            message = picture.change_to(self._codes(*key))
            if message is not None:
                news.append((message, picture.watchers()))
        return news

    def is_drawn_like(self, departure: Departure) -> bool:
        """Whether watchers may go on with what they know of the departure: its seats, and where its legs are."""
        ours, theirs = self.departure, departure
        return (ours.inventory_id, ours.seat_plan.id, len(ours.calls)) == (
            theirs.inventory_id,
            theirs.seat_plan.id,
            len(theirs.calls),
        ) and all(a.stop_id == b.stop_id for a, b in zip(ours.calls, theirs.calls, strict=True))

    def all_watchers(self) -> list[Watcher]:
        return [watcher for picture in self._pictures.values() for watcher in picture.watchers()]

    def _part(self) -> None:
        """Give those who hold something a picture of their own. They keep it when they hold nothing any more."""
        owners = self._owners()
        for (first_slot, end_slot, owner), picture in list(self._pictures.items()):
            if owner is not None:
                continue
            for holder in owners.intersection(picture.owners()):
                own = self._pictures[first_slot, end_slot, holder] = picture.twin()
                for watcher in picture.take_away(holder):
                    watcher.picture = own
                    own.add(holder, watcher)
        self._forget_unseen()

    def _forget_unseen(self) -> None:
        for key in [key for key, picture in self._pictures.items() if not picture.owners()]:
            del self._pictures[key]

    def _owners(self) -> set[str]:
        return {share.owner for share in self._state.shares if share.state == "held"}

    def _codes(self, first_slot: int, end_slot: int, owner: str | None) -> bytes:
        return codes_of(self._state, len(self._numbers), first_slot, end_slot, owner)
