"""Who of those that came together gets what: one after another in the order of their coming, in memory.

The database is asked before and told afterwards (see `batches`), and it is the database that has the last word: what is
decided here is a proposal, which its primary key accepts or refuses as a whole.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

from farebox.core.errors import DomainError
from farebox.core.ids import new_id
from farebox.inventory.errors import HoldConflict, NotOnSale, UnitsTaken, UnknownUnits
from farebox.inventory.queries import HoldRecord, hold_view
from farebox.inventory.views import Hold, TakeRequest, Want

PackedKey: TypeAlias = int
"""A claim's key as one number, in the order of the keys: sets of numbers are cheaper than sets of triples."""

_UNIT: Final = 15  # bits of a slot, below the unit
_RUN: Final = 30  # bits of a unit and a slot, below the run


def pack_key(run: int, unit: int, slot: int) -> PackedKey:
    return run << _RUN | unit << _UNIT | slot


def unpack_key(key: PackedKey) -> tuple[int, int, int]:
    return key >> _RUN, key >> _UNIT & 0x7FFF, key & 0x7FFF


def packed_keys(wants: Iterable[Want]) -> set[PackedKey]:
    """All keys of the wants, each of which must be plausible."""
    keys: set[PackedKey] = set()
    for want in wants:
        for unit in want.units:
            first = want.inventory_id << _RUN | unit << _UNIT
            keys.update(range(first + want.first_slot, first + want.end_slot))
    return keys


@dataclass(slots=True, eq=False)
class Member:
    """One request of a batch, and what becomes of it.

    Attributes:
        hold: what it has won, or what it had won when it was sent before.
        refusal: why it lost. Neither this nor `hold`: it cannot be decided here and goes its own way.
        is_new: `hold` has to be written.
        has_ended: `hold` was replaced by a later member of the same batch.
        latest_at: the end of `hold` that no extension passes.
        ended: the holds that it replaces.
    """

    request: TakeRequest
    keys: set[PackedKey]
    hold: Hold | None = None
    refusal: DomainError | None = None
    is_new: bool = False
    has_ended: bool = False
    latest_at: datetime | None = None
    ended: "Sequence[Running]" = ()


@dataclass(slots=True, eq=False)
class Running:
    """A running hold that may be replaced: one that was read and locked, or one of an earlier member."""

    id: UUID
    keys: set[PackedKey]
    runs: Set[int]
    expires_at: datetime
    first_taken_at: datetime
    extensions: int
    member: Member | None = None

    @classmethod
    def of_record(cls, record: HoldRecord) -> "Running":
        assert record.expires_at is not None
        wants = record.wants
        runs = {want.inventory_id for want in wants}
        return cls(record.id, packed_keys(wants), runs, record.expires_at, record.first_taken_at, record.extensions)

    @classmethod
    def of_member(cls, member: Member) -> "Running":
        hold = member.hold
        assert hold is not None
        assert hold.expires_at is not None
        runs = {want.inventory_id for want in hold.claims}
        return cls(hold.id, member.keys, runs, hold.expires_at, hold.first_taken_at, hold.extensions, member)


class Run(NamedTuple):
    units: int
    slots: int
    is_on_sale: bool


@dataclass(slots=True)
class Picture:
    """What the members meet: as it was read, and as the members before them have left it.

    Attributes:
        at: the database's clock, after everything that the batch locks before it reads was locked.
        taken: keys that nobody else can have.
        running: owner -> holds that this owner may replace; has each owner who wants to replace any.
        out_of_reach: owners that somebody else is serving at this moment.
        used: holds whose ids members have brought along.
    """

    at: datetime
    runs: Mapping[int, Run]
    taken: set[PackedKey]
    running: dict[str, list[Running]] = field(default_factory=dict)
    out_of_reach: set[str] = field(default_factory=set)
    used: Mapping[UUID, HoldRecord] = field(default_factory=dict)
    _brought: dict[UUID, Member] = field(default_factory=dict)
    _ended: set[UUID] = field(default_factory=set)

    def serve(self, member: Member) -> None:
        """Decide about one request, and remember what that changes for the next."""
        request = member.request
        if request.hold_id is not None and self._is_repeated(member, request.hold_id):
            return
        if (request.replaces_own or request.replaces) and not self._choose_replaced(member):
            return
        refusal = self._refuse(member)
        if refusal is not None:
            member.refusal, member.ended = refusal, ()
            return
        self._grant(member)

    def _is_repeated(self, member: Member, hold_id: UUID) -> bool:
        """Answer a request whose id was used before: the same again, or a conflict."""
        earlier = self._brought.get(hold_id)
        record = self.used.get(hold_id)
        if earlier is not None:
            same = earlier.request.owner == member.request.owner and earlier.keys == member.keys
            hold = earlier.hold if same and not earlier.has_ended else None
        elif record is not None:
            hold = record.view()
            if hold.amounts:
                return True  # more than units: not for us to say
            same = record.owner == member.request.owner and packed_keys(record.wants) == member.keys
            is_alive = hold.state in {"held", "confirmed"} and hold_id not in self._ended
            hold = hold if same and is_alive else None
        else:
            return False
        member.hold, member.refusal = hold, None if hold else HoldConflict()
        return True

    def _choose_replaced(self, member: Member) -> bool:
        """Find what the member replaces. False: somebody else is about to change it."""
        request = member.request
        if request.owner in self.out_of_reach:
            return False
        runs = {want.inventory_id for want in request.wants} if request.replaces_own else frozenset()
        member.ended = [
            old
            for old in self.running[request.owner]
            if old.id != request.hold_id and (old.id == request.replaces or not runs.isdisjoint(old.runs))
        ]
        return True

    def _refuse(self, member: Member) -> DomainError | None:
        runs = self.runs
        on_sale = True
        for want in member.request.wants:
            run = runs.get(want.inventory_id)
            if run is None or want.end_slot > run.slots or max(want.units) >= run.units:
                return UnknownUnits()
            on_sale = on_sale and run.is_on_sale
        if not on_sale:
            return NotOnSale()
        if member.keys.isdisjoint(self.taken):
            return None
        lost = member.keys & self.taken
        for old in member.ended:
            lost -= old.keys
        return UnitsTaken(sorted({unpack_key(key)[:2] for key in lost})) if lost else None

    def _grant(self, member: Member) -> None:
        request, terms, ended = member.request, member.request.terms, member.ended
        first, extensions, expires = self.at, 0, None
        for old in ended:
            first, extensions = min(first, old.first_taken_at), max(extensions, old.extensions)
            expires = min(expires or old.expires_at, old.expires_at)
            self.taken -= old.keys
            self.running[request.owner].remove(old)
            self._ended.add(old.id)
            if old.member is not None:
                old.member.has_ended = True
        latest = first + timedelta(seconds=terms.max_total_seconds)
        member.latest_at = latest
        member.is_new = True
        member.hold = hold_view(
            request.hold_id or new_id(),
            request.owner,
            "held",
            expires or min(self.at + timedelta(seconds=terms.ttl_seconds), latest),
            first_taken_at=first,
            latest_at=latest,
            extensions=extensions,
            max_extensions=terms.max_extensions,
            claims=request.wants,
        )
        self.taken |= member.keys
        if request.owner in self.running:
            self.running[request.owner].append(Running.of_member(member))
        if request.hold_id is not None:
            self._brought[request.hold_id] = member
