"""What an invoice or a credit note says: facts, frozen when it is written; words come around them when it is printed.

Between two writings, whatever was no longer part of the price is credited, and whatever is new in it is invoiced. What
a person gave up, and the fee that is kept for it, are so two documents, each with its own tax.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec.structs import replace

from farebox.accounts import OperatorView
from farebox.bookings import BookedLine, Booking, ItemDescription
from farebox.pricing import share_out

InvoiceKind: TypeAlias = Literal["invoice", "credit-note"]

PREFIXES: Final[Mapping[InvoiceKind, str]] = {"invoice": "INV", "credit-note": "CN"}


class Seller(msgspec.Struct, frozen=True, kw_only=True):
    """Who sold it, as it was called then. `legal_name` is never empty; `tax_number` is where there is none."""

    name: str
    legal_name: str
    tax_number: str
    address: str
    phone: str
    email: str
    color: str
    timezone: str


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What was sold: a ride from an origin to a destination, or something in one place, and when."""

    item_id: UUID
    title: str
    origin: str
    destination: str
    time: datetime
    timezone: str


class InvoiceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A price line, as it is in the booking, or the part of one that has one rate of tax.

    `rate_bp`: of the tax in it; `None` where nothing says it.
    """

    item_id: UUID
    kind: str
    label: str
    facts: Mapping[str, Any]
    seat_number: str | None
    amount_minor: int
    tax_minor: int
    rate_bp: int | None

    @property
    def key(self) -> bytes:
        """The same for two lines that say the same. The rate, which may be found out by others, is left out."""
        return msgspec.json.encode(replace(self, rate_bp=None), order="deterministic")


class InvoiceDocument(msgspec.Struct, frozen=True, kw_only=True):
    """All that is printed but the buyer, who can be wiped.

    Attributes:
        reference: the booking's.
        corrects: of a credit note, the numbers of the invoices that its lines were on.
    """

    seller: Seller
    reference: str
    services: tuple[Service, ...]
    lines: tuple[InvoiceLine, ...]
    corrects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RateTotal:
    """What the lines of one rate of tax come to, in minor units: `gross` has the tax in it."""

    rate_bp: int | None
    gross: int
    tax: int

    @property
    def net(self) -> int:
        return self.gross - self.tax


@dataclass(frozen=True, slots=True)
class Written:
    """A document that was written before. `buyer_changes`: how often its buyer had been changed by then."""

    id: UUID
    kind: InvoiceKind
    number: str
    lines: tuple[InvoiceLine, ...]
    buyer_changes: int = 0


@dataclass(frozen=True, slots=True)
class ToWrite:
    """A document that is to be written now; `corrects` are those that its lines were on, the first of them first."""

    kind: InvoiceKind
    lines: tuple[InvoiceLine, ...]
    corrects: tuple[Written, ...] = ()


def number_of(kind: InvoiceKind, year: int, number: int) -> str:
    """INV-2026-000042, CN-2026-000007."""
    return f"{PREFIXES[kind]}-{year}-{number:06}"


def seller_of(operator: OperatorView) -> Seller:
    return Seller(
        name=operator.name,
        legal_name=operator.legal_name or operator.name,
        tax_number=operator.tax_number,
        address=operator.address,
        phone=operator.phone,
        email=operator.email,
        color=operator.brand_color,
        timezone=operator.timezone,
    )


def services_of(booking: Booking) -> dict[UUID, Service]:
    """What a booking was ever of, by item: what it has now, and what was given up of it."""
    found = {seat.item_id: _service(seat.item_id, seat.description) for seat in booking.former}
    return found | {item.id: _service(item.id, item.description) for item in booking.items}


def lines_by_operator(booking: Booking) -> dict[UUID, tuple[InvoiceLine, ...]]:
    """The price as it is now, by who sells; also the operators of which nothing is left in it."""
    seller = {seat.item_id: seat.operator_id for seat in booking.former}
    seller |= {item.id: item.operator_id for item in booking.items}
    found: dict[UUID, list[InvoiceLine]] = {operator_id: [] for operator_id in seller.values()}
    for position, line in enumerate(booking.lines):
        found[seller[line.item_id]] += by_rate(line, _what_it_is_off(booking.lines, position))
    return {operator_id: tuple(lines) for operator_id, lines in found.items()}


def by_rate(line: BookedLine, price: Sequence[BookedLine]) -> list[InvoiceLine]:
    """A price line; one that takes something off all of an item, as an allowance does, in a part for each rate of tax.

    It is off the seats first, by what they cost, and beyond that off the fees, each with its own tax: so what is left
    at each rate has the tax of that rate in it.

    Args:
        price: what it is taken off.
    """
    whole = _line(line)
    if not _is_of_all(line) or "tax_rate_bp" in line.facts:
        return [whole]
    seats = [each for each in price if not _is_fee(each)]
    off = -line.amount.minor
    off_seats = min(off, max(0, sum(each.amount.minor for each in seats)))
    fees = [each for each in price if _is_fee(each) and each.amount.minor > 0]
    costs = [each.amount.minor for each in fees]
    if off - off_seats > sum(costs):
        return [whole]  # more than there is to be taken off: of an earlier release, or of people who have left
    parts: dict[int | None, tuple[int, int]] = {}
    of_seats = {
        _line(each).rate_bp
        for each in seats
        if not _is_of_all(each) and (each.tax_included or "tax_rate_bp" in each.facts)
    }
    left = -line.tax_included.minor
    for each, part in zip(fees, share_out(off - off_seats, costs), strict=True):
        tax = each.tax_included.times(Fraction(part, each.amount.minor)).minor
        amount_so_far, tax_so_far = parts.get(_line(each).rate_bp, (0, 0))
        parts[_line(each).rate_bp] = amount_so_far + part, tax_so_far + tax
        left -= tax
    if off_seats or left:
        rate = of_seats.pop() if len(of_seats) == 1 else None if of_seats else 0
        amount_so_far, tax_so_far = parts.get(rate, (0, 0))
        parts[rate] = amount_so_far + off_seats, tax_so_far + left
    if any(not 0 <= tax <= amount for amount, tax in parts.values()):
        return [whole]
    return [
        replace(whole, amount_minor=-amount, tax_minor=-tax, rate_bp=rate)
        for rate, (amount, tax) in sorted(parts.items(), key=lambda each: (each[0] is None, -(each[0] or 0)))
        if amount
    ]


def with_rates(lines: Sequence[InvoiceLine], written: Sequence[Written]) -> tuple[InvoiceLine, ...]:
    """The same, fees at the rate of what they are fees for, as long as there is one rate in all that was sold."""
    sold = [*lines, *(line for document in written for line in document.lines)]
    rates = {line.rate_bp for line in sold if line.tax_minor} - {None}
    if len(rates) != 1:
        return tuple(lines)
    [rate] = rates
    return tuple(replace(line, rate_bp=rate) if line.rate_bp is None else line for line in lines)


def to_write(written: Sequence[Written], now: Sequence[InvoiceLine], *, buyer_changes: int = 0) -> list[ToWrite]:
    """What brings the documents of a booking and an operator up to its price now; nothing where they say it already.

    `written` is in the order of writing (see `invoices.WRITTEN`): what came last decides, and no document's date does.

    A credit note comes first. Should a difference be less than nothing, as when a discount alone has changed, all that
    stands is credited and the whole price invoiced anew: both are what a document may be. So it is where the buyer was
    changed since (`buyer_changes`: how often that was by now).
    """
    is_for_another = any(document.buyer_changes < buyer_changes for document in _latest(written))
    standing: Counter[bytes] = Counter()
    for document in written:
        for line in document.lines:
            standing[line.key] += 1 if document.kind == "invoice" else -1
    known = {line.key: line for document in written for line in document.lines}
    asked = Counter(line.key for line in now)
    gone = _lines((standing - asked).elements(), known)
    added = _lines((asked - standing).elements(), {line.key: line for line in now})
    if is_for_another or not (_is_document(gone) and _is_document(added)):
        gone, added = _lines(standing.elements(), known), tuple(now)
    found = []
    if gone:
        found.append(ToWrite("credit-note", gone, _sources(gone, written)))
    if added:
        found.append(ToWrite("invoice", added))
    return [document for document in found if any(line.amount_minor for line in document.lines)]


def totals(lines: Iterable[InvoiceLine]) -> list[RateTotal]:
    """What lines come to by rate of tax, the highest first, mixtures last."""
    sums: dict[int | None, tuple[int, int]] = {}
    for line in lines:
        gross, tax = sums.get(line.rate_bp, (0, 0))
        sums[line.rate_bp] = gross + line.amount_minor, tax + line.tax_minor
    found = [RateTotal(rate, gross, tax) for rate, (gross, tax) in sums.items()]
    return sorted(found, key=lambda each: (each.rate_bp is None, -(each.rate_bp or 0)))


def _what_it_is_off(lines: Sequence[BookedLine], position: int) -> list[BookedLine]:
    """What a discount of a whole item was taken off: all else of the item, without such discounts that came later."""
    item_id = lines[position].item_id
    return [
        each
        for place, each in enumerate(lines)
        if each.item_id == item_id
        and each.open_return_id is None
        and (place < position if _is_of_all(each) else place != position)
    ]


def _is_of_all(line: BookedLine) -> bool:
    return line.kind == "discount" and line.seat_number is None and line.open_return_id is None


def _is_fee(line: BookedLine) -> bool:
    """Whether it is no price of a seat: a fee of any kind, or the tax that is added to one."""
    return line.kind == "fee" or (line.kind == "tax" and line.seat_number is None)


def _line(line: BookedLine) -> InvoiceLine:
    rate = line.facts.get("tax_rate_bp")
    return InvoiceLine(
        item_id=line.item_id,
        kind=line.kind,
        label=line.label,
        facts=dict(line.facts),
        seat_number=line.seat_number,
        amount_minor=line.amount.minor,
        tax_minor=line.tax_included.minor,
        rate_bp=rate if rate is not None or line.tax_included else 0,
    )


def _service(item_id: UUID, description: ItemDescription) -> Service:
    return Service(
        item_id=item_id,
        title=description.title,
        origin=description.origin.place,
        destination=description.destination.place if description.destination else "",
        time=description.origin.time,
        timezone=description.origin.timezone,
    )


def _lines(keys: Iterable[bytes], known: Mapping[bytes, InvoiceLine]) -> tuple[InvoiceLine, ...]:
    return tuple(known[key] for key in keys)


def _is_document(lines: Sequence[InvoiceLine]) -> bool:
    return sum(line.amount_minor for line in lines) >= 0 and sum(line.tax_minor for line in lines) >= 0


def _latest(written: Sequence[Written]) -> Sequence[Written]:
    """The invoice that was written last, where there is one: its buyer is that of all that stands."""
    return [document for document in written if document.kind == "invoice"][-1:]


def _sources(gone: Sequence[InvoiceLine], written: Sequence[Written]) -> tuple[Written, ...]:
    """The invoices on which these lines were, each line's latest, in the order of their writing."""
    latest = {line.key: document for document in written if document.kind == "invoice" for line in document.lines}
    ids = {latest[line.key].id for line in gone}
    return tuple(document for document in written if document.id in ids)
