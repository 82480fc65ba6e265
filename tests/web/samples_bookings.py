"""Made-up bookings: reviewed, paid or not, changed and cancelled."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from markupsafe import Markup
from tests.web.made_up import ABROAD, PRICE, Sample, at, card, clock, dong

from farebox.payments.adapters.bank import BankAccount, make_slip
from farebox.ticketing import CardStop, Fact, TicketCard, qr_svg
from farebox.web.views.booking import (
    BookingActions,
    BookingView,
    FormerRow,
    MoneyLine,
    OpenReturnPart,
    Paper,
    StoryLine,
    TicketView,
)
from farebox.web.views.checkout import (
    FailedView,
    OpenReturnChoice,
    PassengerRow,
    Price,
    Problem,
    ProcessingView,
    PromotionFields,
    ReviewView,
    Ride,
    WalletPart,
)
from farebox.web.views.privacy import KeepView
from farebox.web.views.seats import PriceRow
from farebox.web.views.transfer import TransferView
from farebox.web.views.trips import Option

REFERENCE = "BUS20261125K7QM2X"
ROWS = (
    PassengerRow("Nguyễn Thị Ánh", "5C", "aisle", "Adult", "Citizen ID card", "•••••••••321"),
    PassengerRow("Lê Minh", "5D", "window", "Child", "Passport", "•••••678", special_needs=True),
)
CONDITIONS = (
    "Cancelled until Sunday 22 November, 06:30: all of the fare comes back.",
    "Cancelled until Tuesday 24 November, 06:30: 80% of the fare come back.",
    "Cancelled until Wednesday 25 November, 04:30: 50% of the fare come back.",
    "After that, nothing comes back.",
    "Another day, trip or seat until Wednesday 25 November, 04:30: free of charge, you pay only what it costs more.",
    "If the new seat costs less, as much of the difference comes back as of the fare if you cancelled then.",
    "Other names until Wednesday 25 November, 04:30: free of charge.",
)
METHODS = (
    Option("card", "Card", True, icon="card", detail="You go on to a protected page. We never see the card's number."),
    Option("payos", "VietQR", icon="qr", detail="Scan a VietQR code with your bank's app."),
    Option("bank-transfer", "Bank transfer", icon="bank", detail="You get the account and a reference."),
)
RETURN_TOLD = (
    "Ride back on any trip of this operator that begins until Friday 25 December, 23:59.",
    "₫540,000 of its price is paid with it; if the trip costs more, you pay the difference.",
    "80% of what you do not use comes back: if the trip costs less, or if you do not ride.",
)
BACK = card(
    board=card().alight,
    alight=card().board,
)


def _review(**changes: Any) -> ReviewView:
    facts: dict[str, Any] = {
        "reference": REFERENCE,
        "rides": (Ride(card(), ROWS, CONDITIONS),),
        "contact_email": "anh@example.com",
        "contact_phone": "+84 912 345 678",
        "price": PRICE,
        "clock": clock(),
        "methods": METHODS,
        "action": "/gallery/review",
        "seats_url": "/gallery/seats",
        "due": dong(640_000),
        "promotion": PromotionFields(),
        "is_guest": True,
    }
    return ReviewView(**{**facts, **changes})


def review() -> Sample:
    return "checkout/review.html", _review(), {}


def review_wrong() -> Sample:
    problems = (Problem("terms", "Accept the conditions to go on."), Problem("promotion", "This code is not valid."))
    return "checkout/review.html", _review(problems=problems, promotion=PromotionFields("TET", "", "Not valid.")), {}


def review_there_and_back() -> Sample:
    """Two trips, a code that counts, and a wallet that pays a part."""
    price = Price(
        (
            PriceRow("Seat 5C", dong(360_000), "Adult fare, Hà Nội to Vinh"),
            PriceRow("Seat 5C", dong(360_000), "Adult fare, Vinh to Hà Nội"),
            PriceRow("TET2026", dong(-72_000), "10% off the fares"),
            PriceRow("Service fee", dong(10_000), "Once for a booking; not paid back"),
        ),
        dong(658_000),
        dong(48_741),
    )
    view = _review(
        rides=(Ride(card(), ROWS[:1], CONDITIONS), Ride(BACK, ROWS[:1], CONDITIONS)),
        price=price,
        promotion=PromotionFields("TET2026", "TET2026 takes 72,000 ₫ off."),
        wallet=WalletPart(dong(200_000), dong(458_000), is_chosen=True),
        is_guest=False,
    )
    return "checkout/review.html", view, {}


def review_free() -> Sample:
    free = Price((PriceRow("Seat 5C", dong(0)),), dong(0))
    return "checkout/review.html", _review(price=free, rides=(Ride(ABROAD, ROWS, CONDITIONS),)), {}


def _processing(**changes: Any) -> ProcessingView:
    facts: dict[str, Any] = {
        "reference": REFERENCE,
        "amount": dong(640_000),
        "refresh_url": "/gallery/processing",
        "payment_url": "/gallery/sandbox",
        "facts": (("Way of paying", "Card"), ("Seats kept until", "Tuesday 24 November, 09:28")),
    }
    return ProcessingView(**{**facts, **changes})


def processing() -> Sample:
    return "checkout/processing.html", _processing(), {}


def processing_transfer() -> Sample:
    facts = (("Way of paying", "Bank transfer"), ("Seats kept until", "Tuesday 24 November, 09:28"))
    return "checkout/processing.html", _processing(is_transfer=True, waited_long=True, facts=facts), {}


def processing_in_part() -> Sample:
    view = _processing(amount=dong(440_000), received=dong(200_000), waited_long=True)
    return "checkout/processing.html", view, {}


def transfer() -> Sample:
    account = BankAccount("Công ty Xe khách Mẫu", bank_bin="970422", number="113366668888")
    slip = make_slip(account, dong(640_000), REFERENCE)
    view = TransferView(REFERENCE, slip, Markup(slip.qr_svg), at(9, 8, 1), "/gallery/processing")
    return "checkout/transfer.html", view, {}


def transfer_over() -> Sample:
    return "checkout/transfer.html", TransferView(REFERENCE, None, Markup(), None, "/gallery/booking"), {}


def _failed(**changes: Any) -> FailedView:
    facts: dict[str, Any] = {
        "reference": REFERENCE,
        "amount": dong(640_000),
        "pay_url": "/gallery/review",
        "review_url": "/gallery/review",
        "action": "/gallery/failed",
        "clock": clock(500),
        "methods": METHODS,
        "reason": "The bank or wallet declined the payment.",
        "held_until": at(9, 8, -1),
    }
    return FailedView(**{**facts, **changes})


def failed() -> Sample:
    return "checkout/failed.html", _failed(), {}


def failed_in_part() -> Sample:
    view = _failed(amount=dong(440_000), received=dong(200_000), methods=(), clock=clock(100, 0), reason="")
    return "checkout/failed.html", view, {}


def _ticket_card(**changes: Any) -> TicketCard:
    facts: dict[str, Any] = {
        "ticket_id": UUID(int=1),
        "booking_id": UUID(int=2),
        "passenger_id": UUID(int=3),
        "status": "issued",
        "reference": "BUS20261125K7QM2X",
        "operator": "Trường Sơn Lines",
        "brand": "#c0392b",
        "on_brand": "#ffffff",
        "heading": "Hà Nội to Vinh",
        "subheading": "Wednesday 25 November 2026",
        "board": CardStop(
            place="Hà Nội",
            name="Giáp Bát",
            time="06:30",
            day="Wed 25 Nov 2026",
            iso="2026-11-25T06:30+07:00",
            platform="12",
        ),
        "alight": CardStop(
            place="Vinh",
            name="Bắc Vinh",
            time="13:10",
            day="Wed 25 Nov 2026",
            iso="2026-11-25T13:10+07:00",
            platform="",
        ),
        "duration": "6 h 40",
        "zone_note": "",
        "passenger": "Nguyễn Thị Ánh",
        "passenger_type": "Adult",
        "document": "Citizen ID card •••••••••321",
        "seat": "5C",
        "seat_kind": "Standard seat",
        "line": "Hà Nội - Huế · Huế",
        "vehicle": "Coach, 45 seats",
        "counted": "Ticket 1 of 2",
        "lines": (),
        "total": Fact(label="This ticket", value="360"),
        "beside": (),
        "booking": (),
        "terms": (),
        "contacts": (),
        "token": "FBX1." + "A1b2C3d4E5" * 22,
    }
    return TicketCard(**{**facts, **changes})


def _booking(**changes: Any) -> BookingView:
    second = _ticket_card(
        passenger="Lê Minh",
        passenger_type="Child",
        seat="5D",
        counted="Ticket 2 of 2",
        brand="#121316",
        on_brand="#ffc247",
    )
    tickets = tuple(TicketView(each, Markup(qr_svg(each.token))) for each in (_ticket_card(), second))
    facts: dict[str, Any] = {
        "reference": REFERENCE,
        "state": "confirmed",
        "just_booked": True,
        "rides": (Ride(card(), ROWS, CONDITIONS),),
        "tickets": tickets,
        "contact_email": "anh@example.com",
        "price": PRICE,
        "action": "/gallery/booking",
        "pdf_url": "/x",
        "calendar_url": "/x",
        "can_email": True,
        "operator_contacts": ("Trường Sơn Lines", "+84 24 3864 1467"),
        "keep": KeepView("/gallery/keep", "/sign-in?next=/gallery", "anh@example.com"),
        "actions": BookingActions("/gallery/booking", "/gallery/booking", "/gallery/booking"),
        "story": STORY[:3],
        "money": MONEY[:1],
        "papers": (Paper("Invoice 2026-000114", "/x"),),
        "invoice_to": "Công ty TNHH Sông Hương",
        "invoice_details_url": "/gallery/invoice-details",
    }
    return BookingView(**{**facts, **changes})


STORY = (
    StoryLine(at(9, 0, -1), "Booked; the seats wait for the payment", by="by you"),
    StoryLine(at(9, 2, -1), "Payment begun", by="by you"),
    StoryLine(at(9, 3, -1), "Paid and confirmed"),
    StoryLine(at(18, 20, -1), "Cancelled for some passengers", "We come by train.", "by you"),
    StoryLine(at(18, 25, -1), "Paid back"),
)
MONEY = (
    MoneyLine(at(9, 3, -1), "Card", dong(640_000), "Paid", "good"),
    MoneyLine(at(18, 20, -1), "To the card", dong(270_000), "On its way", "warn", is_back=True),
)


def booking() -> Sample:
    return "booking/booking.html", _booking(), {}


def booking_reduced() -> Sample:
    """One of two has given up the seat."""
    former = FormerRow(
        ROWS[1], "Hà Nội – Vinh, Wednesday 25 November, 06:30", "Cancelled on Tuesday 24 November, 18:20"
    )
    view = _booking(
        just_booked=False,
        rides=(Ride(card(), ROWS[:1], CONDITIONS), Ride(BACK, ROWS[:1], CONDITIONS)),
        former=(former,),
        story=STORY,
        money=MONEY,
        papers=(Paper("Invoice 2026-000114", "/x"), Paper("Credit note 2026-000009", "/x")),
        keep=None,
        waiting_url="/gallery/change-waiting",
        said="The seat of Lê Minh was given up. 270,000 ₫ go back to the card.",
    )
    return "booking/booking.html", view, {}


def booking_open_return() -> Sample:
    """The way back is paid for, and not chosen yet."""
    part = OpenReturnPart(
        way="Vinh – Hà Nội",
        told=RETURN_TOLD,
        people=("Nguyễn Thị Ánh", "Lê Minh"),
        url="/gallery/way-back",
        cancel_url="/gallery/cancel-open-return",
    )
    return "booking/booking.html", _booking(just_booked=False, open_return=part), {}


def review_open_return() -> Sample:
    choice = OpenReturnChoice("Vinh – Hà Nội", dong(540_000), RETURN_TOLD, is_chosen=False)
    return "checkout/review.html", _review(open_return=choice), {}


def review_open_return_chosen() -> Sample:
    choice = OpenReturnChoice("Vinh – Hà Nội", dong(540_000), RETURN_TOLD, is_chosen=True)
    return "checkout/review.html", _review(open_return=choice), {}


def booking_pending() -> Sample:
    view = _booking(
        state="pending",
        just_booked=False,
        tickets=(),
        pay_url="/gallery/review",
        due=PRICE.total,
        can_cancel=True,
        clock=clock(),
        actions=BookingActions(),
    )
    return "booking/booking.html", view, {}


def booking_paid_in_part() -> Sample:
    """A part of a bank transfer's amount has arrived; the rest has a day."""
    view = _booking(
        state="processing",
        just_booked=False,
        tickets=(),
        pay_url="/gallery/processing",
        due=dong(540_000),
        received=dong(100_000),
        clock=clock(seconds=86_395, left=0),
        actions=BookingActions(),
    )
    return "booking/booking.html", view, {}


def booking_expired() -> Sample:
    view = _booking(
        state="expired",
        just_booked=False,
        tickets=(),
        reason="It was not paid in time, so its seats are free for others again.",
        actions=BookingActions(again_url="/gallery/booking", seats_url="/gallery/seats"),
        money=(),
        papers=(),
    )
    return "booking/booking.html", view, {}


def booking_refunded() -> Sample:
    reason = (
        "The payment came after the time was over, and somebody else had taken the seats. All of it goes back to you."
    )
    view = _booking(
        state="refunded",
        just_booked=False,
        tickets=(),
        reason=reason,
        actions=BookingActions(again_url="/gallery/booking"),
    )
    return "booking/booking.html", view, {}


PAGES: dict[str, Callable[[], Sample]] = {
    "review": review,
    "review-wrong": review_wrong,
    "review-open-return": review_open_return,
    "review-open-return-chosen": review_open_return_chosen,
    "booking-open-return": booking_open_return,
    "review-there-and-back": review_there_and_back,
    "review-free": review_free,
    "processing": processing,
    "processing-in-part": processing_in_part,
    "processing-transfer": processing_transfer,
    "transfer": transfer,
    "transfer-over": transfer_over,
    "failed": failed,
    "failed-in-part": failed_in_part,
    "booking": booking,
    "booking-reduced": booking_reduced,
    "booking-pending": booking_pending,
    "booking-paid-in-part": booking_paid_in_part,
    "booking-expired": booking_expired,
    "booking-refunded": booking_refunded,
}
