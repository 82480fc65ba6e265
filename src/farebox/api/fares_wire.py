"""What an operator's fares look like on the wire: one document, in one currency, the same to read and to set."""

from datetime import date
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from msgspec import Meta, field

from farebox.api.wire import Request
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.money import Money
from farebox.pricing import DistanceFare, FareBook, FareCell, FareTerms, PriceRule, RuleKind, SaleTerms, SeatSurcharge

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

Amount = Annotated[str, Meta(examples=["12.50"], max_length=24, description="In the document's currency.")]
Rate = Annotated[int, Meta(ge=0, le=10_000, description="Basis points: 800 is 8%.")]
SeatType = Annotated[str, Meta(examples=["sleeper"], max_length=40, description="Empty: any.")]


class DistancePart(Request):
    """A price by distance: `base` + `per100Km`, not under `minimum`, rounded to whole `step`s."""

    seat_type: Annotated[str, Meta(examples=["standard"], min_length=1, max_length=40)]
    base: Amount
    per_100_km: Annotated[str, Meta(max_length=24)] = field(name="per100Km")
    minimum: Amount
    step: Amount


class SurchargePart(Request):
    """What a better seat costs on top. The dearest that fits a seat counts, alone."""

    amount: Amount
    seat_type: SeatType = ""
    feature: Annotated[str, Meta(examples=["window"], max_length=40, description="Empty: any.")] = ""


class CellPart(Request):
    """A fare from place to place, in this direction. It goes before the feed's and the one by distance."""

    from_place_id: UUID
    to_place_id: UUID
    adult: Amount
    child: Annotated[Amount | None, Meta(description="Not given: the discount off the adult's.")] = None
    senior: Amount | None = None
    seat_type: SeatType = ""


class RulePart(Request):
    """What makes a fare dearer or cheaper. Of each kind the rule that fits most closely counts."""

    kind: RuleKind
    name: Annotated[str, Meta(examples=["Tết"], description="Travellers read it.")]
    percent_bp: Annotated[int, Meta(examples=[-1500], description="Of the fare, in basis points; negative: off it.")]
    first_day: Annotated[date | None, Meta(description="Of a season: the day of boarding.")] = None
    last_day: date | None = None
    weekdays: Annotated[list[Weekday] | None, Meta(description="Of boarding.")] = None
    from_load_bp: Annotated[int | None, Meta(description="How much of the vehicle is gone, in basis points.")] = None
    days_ahead: Annotated[int | None, Meta(description="At least so many days before boarding.")] = None
    active: Annotated[bool, Meta(description="Whether it counts; one that does not is kept, to be turned on.")] = True

    @classmethod
    def of(cls, rule: PriceRule) -> Self:
        days = [name for bit, name in enumerate(WEEKDAYS) if rule.weekdays >> bit & 1]
        return cls(
            kind=rule.kind,
            name=rule.name,
            percent_bp=rule.percent_bp,
            first_day=rule.first_day if rule.kind == "season" else None,
            last_day=rule.last_day if rule.kind == "season" else None,
            weekdays=days if rule.kind == "weekday" else None,  # type: ignore[arg-type]  # they are all of them
            from_load_bp=rule.from_load_bp or None,
            days_ahead=rule.days_ahead or None,
            active=rule.is_on,
        )

    def rule(self) -> PriceRule:
        given: dict[str, Any] = {
            "first_day": self.first_day,
            "last_day": self.last_day,
            "weekdays": None if self.weekdays is None else sum(1 << WEEKDAYS.index(day) for day in set(self.weekdays)),
            "from_load_bp": self.from_load_bp,
            "days_ahead": self.days_ahead,
        }
        conditions = {name: value for name, value in given.items() if value is not None}
        return PriceRule(kind=self.kind, name=self.name, percent_bp=self.percent_bp, is_on=self.active, **conditions)


class TierPart(Request):
    """Until so many hours before departure, so much of a seat's price is paid back."""

    hours_before: int
    refund_bp: int


class SaleTermsPart(Request):
    """Under which terms seats of a type are given back, changed and renamed. Hours count back from boarding."""

    tiers: Annotated[list[TierPart], Meta(description="The earliest first; none: nothing is paid back.")]
    change_hours: Annotated[int | None, Meta(description="Until when seats may be changed; null: never.")]
    rename_hours: Annotated[int | None, Meta(description="Until when names may be changed; null: never.")]
    seat_type: SeatType = ""
    fee_refundable: Annotated[bool, Meta(description="Whether the service fee is paid back, too.")] = False
    change_fee: Annotated[str, Meta(max_length=24, description="For each passenger.")] = "0"
    rename_fee: Annotated[str, Meta(max_length=24)] = "0"
    open_return_days: Annotated[
        int | None, Meta(description="How long after the ride an open return is good; 0 or null: none is sold.")
    ] = None
    open_return_refund_bp: Annotated[
        int, Meta(description="How much is paid back of what is not used of its price, in basis points.")
    ] = 10_000


class FareDocument(Request):
    """All that an operator sells under, but for what its feeds say. All amounts are in one currency."""

    currency: Annotated[str, Meta(examples=["EUR"], pattern="^[A-Z]{3}$")]
    service_fee: Annotated[str, Meta(max_length=24, description="Once for each departure that is booked.")]
    by_distance: Annotated[list[DistancePart], Meta(max_length=20)]
    tax_rate_bp: Rate = 0
    tax_added: Annotated[bool, Meta(description="Amounts are without the tax, and it is added.")] = False
    child_discount_bp: Rate = 0
    senior_discount_bp: Rate = 0
    sells_by_distance: Annotated[bool, Meta(description="Whether a ride that has no other fare is sold.")] = True
    surcharges: Annotated[list[SurchargePart], Meta(max_length=200)] = field(default_factory=list)
    cells: Annotated[list[CellPart], Meta(max_length=10_000)] = field(default_factory=list)
    price_rules: Annotated[list[RulePart], Meta(max_length=500)] = field(default_factory=list)
    sale_terms: Annotated[list[SaleTermsPart], Meta(max_length=20)] = field(default_factory=list)

    @classmethod
    def of(cls, book: FareBook) -> Self:
        terms = book.terms
        return cls(
            currency=terms.currency,
            service_fee=_text(terms.service_fee),
            tax_rate_bp=terms.tax_rate_bp,
            tax_added=terms.is_tax_added,
            child_discount_bp=terms.child_discount_bp,
            senior_discount_bp=terms.senior_discount_bp,
            sells_by_distance=terms.sells_by_distance,
            by_distance=[
                DistancePart(
                    seat_type=kind,
                    base=_text(fare.base),
                    per_100_km=_text(fare.per_100_km),
                    minimum=_text(fare.minimum),
                    step=_text(fare.step),
                )
                for kind, fare in book.by_distance.items()
            ],
            surcharges=[
                SurchargePart(amount=_text(each.amount), seat_type=each.seat_type, feature=each.feature)
                for each in book.surcharges
            ],
            cells=[_cell_part(cell) for cell in book.cells],
            price_rules=[RulePart.of(rule) for rule in book.price_rules],
            sale_terms=[_terms_part(kind, each, terms.currency) for kind, each in book.sale_terms.items()],
        )

    def book(self) -> FareBook:
        """Raises: Invalid: amounts that the currency cannot have, or types of seats that are there twice."""
        read = _Reader(self.currency)
        book = FareBook(
            terms=FareTerms(
                service_fee=read.money("serviceFee", self.service_fee),
                tax_rate_bp=self.tax_rate_bp,
                child_discount_bp=self.child_discount_bp,
                senior_discount_bp=self.senior_discount_bp,
                sells_by_distance=self.sells_by_distance,
                is_tax_added=self.tax_added,
            ),
            by_distance={
                part.seat_type: read.distance(f"byDistance.{index}", part)
                for index, part in enumerate(self.by_distance)
            },
            surcharges=[
                SeatSurcharge(read.money(f"surcharges.{index}.amount", part.amount), part.seat_type, part.feature)
                for index, part in enumerate(self.surcharges)
            ],
            cells=[read.cell(f"cells.{index}", part) for index, part in enumerate(self.cells)],
            price_rules=[part.rule() for part in self.price_rules],
            sale_terms={
                part.seat_type: read.sale_terms(f"saleTerms.{index}", part)
                for index, part in enumerate(self.sale_terms)
            },
        )
        read.refuse_repeated("byDistance", [part.seat_type for part in self.by_distance])
        read.refuse_repeated("saleTerms", [part.seat_type for part in self.sale_terms])
        if read.errors:
            raise Invalid(read.errors)
        return book


class _Reader:
    """Reads amounts of one currency, and collects what is wrong."""

    def __init__(self, currency: str) -> None:
        self._currency = currency
        self.errors: list[FieldError] = []

    def money(self, at: str, amount: str) -> Money:
        try:
            return Money.parse(amount, self._currency)
        except ValueError:
            message = N_("Write an amount of {currency}, with no more decimals than it has.")
            self.errors.append(FieldError(at, "invalid-amount", message, currency=self._currency))
            return Money.zero(self._currency)

    def distance(self, at: str, part: DistancePart) -> DistanceFare:
        return DistanceFare(
            base=self.money(f"{at}.base", part.base),
            per_100_km=self.money(f"{at}.per100Km", part.per_100_km),
            minimum=self.money(f"{at}.minimum", part.minimum),
            step=self.money(f"{at}.step", part.step),
        )

    def cell(self, at: str, part: CellPart) -> FareCell:
        return FareCell(
            from_place=part.from_place_id,
            to_place=part.to_place_id,
            adult=self.money(f"{at}.adult", part.adult),
            child=None if part.child is None else self.money(f"{at}.child", part.child),
            senior=None if part.senior is None else self.money(f"{at}.senior", part.senior),
            seat_type=part.seat_type,
        )

    def sale_terms(self, at: str, part: SaleTermsPart) -> SaleTerms:
        return SaleTerms(
            tiers=tuple((tier.hours_before, tier.refund_bp) for tier in part.tiers),
            is_fee_refundable=part.fee_refundable,
            change_hours=part.change_hours,
            change_fee_minor=self.money(f"{at}.changeFee", part.change_fee).minor,
            rename_hours=part.rename_hours,
            rename_fee_minor=self.money(f"{at}.renameFee", part.rename_fee).minor,
            open_return_days=part.open_return_days or None,
            open_return_refund_bp=part.open_return_refund_bp,
        )

    def refuse_repeated(self, name: str, seat_types: list[str]) -> None:
        self.errors += [
            FieldError(f"{name}.{index}.seatType", "repeated", N_("This is there twice."))
            for index, seat_type in enumerate(seat_types)
            if seat_type in seat_types[:index]
        ]


def _text(amount: Money) -> str:
    return str(amount.amount)


def _cell_part(cell: FareCell) -> CellPart:
    return CellPart(
        from_place_id=cell.from_place,
        to_place_id=cell.to_place,
        adult=_text(cell.adult),
        child=None if cell.child is None else _text(cell.child),
        senior=None if cell.senior is None else _text(cell.senior),
        seat_type=cell.seat_type,
    )


def _terms_part(seat_type: str, terms: SaleTerms, currency: str) -> SaleTermsPart:
    return SaleTermsPart(
        seat_type=seat_type,
        tiers=[TierPart(hours_before=hours, refund_bp=bp) for hours, bp in terms.tiers],
        fee_refundable=terms.is_fee_refundable,
        change_hours=terms.change_hours,
        change_fee=_text(Money(terms.change_fee_minor, currency)),
        rename_hours=terms.rename_hours,
        rename_fee=_text(Money(terms.rename_fee_minor, currency)),
        open_return_days=terms.open_return_days,
        open_return_refund_bp=terms.open_return_refund_bp,
    )
