"""The conditions under which something is bought, in plain words: what comes back, until when, what a change costs."""

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.numbers import format_percent

from farebox.bookings import BookingItem, ChangePolicy
from farebox.core.i18n import format_money, format_time, locale
from farebox.core.i18n import gettext as _
from farebox.core.money import Money
from farebox.web.days import day_in_words

BASIS_POINTS = 10_000


def conditions_of(item: BookingItem, currency: str, now: datetime) -> tuple[str, ...]:
    """What may still be done with an item once it is paid, a sentence each; instants as they are where it begins."""
    policy, zone = item.policy, item.description.origin.timezone
    return (
        *_cancelling(policy, zone, now),
        *_changing(policy, currency, zone, now),
        *_renaming(policy, currency, zone, now),
    )


def moment(instant: datetime, zone: str) -> str:
    """A day and a time where it counts: Friday 27 November, 06:30."""
    there = instant.astimezone(ZoneInfo(zone))
    return f"{day_in_words(there)}, {format_time(there)}"


def share(basis_points: int) -> str:
    """80%, as the language writes it."""
    return str(format_percent(basis_points / BASIS_POINTS, locale=locale()))


def _cancelling(policy: ChangePolicy, zone: str, now: datetime) -> list[str]:
    until = policy.cancel_until
    if until is None or until <= now:
        return [_("Once it is paid, it cannot be cancelled.")]
    told = []
    for tier in policy.tiers:
        if now < tier.until and tier.refund_bp:
            text = (
                _("Cancelled until {moment}: all of the fare comes back.")
                if tier.refund_bp == BASIS_POINTS
                else _("Cancelled until {moment}: {share} of the fare comes back.")
            )
            told.append(text.format(moment=moment(tier.until, zone), share=share(tier.refund_bp)))
    if not policy.tiers:
        told.append(_("Cancelled until {moment}: all of the fare comes back.").format(moment=moment(until, zone)))
    told.append(_("After that, nothing comes back."))
    if not policy.is_fee_refundable:
        told.append(_("The service fee is not paid back, unless the operator cancels: then everything is."))
    return told


def _changing(policy: ChangePolicy, currency: str, zone: str, now: datetime) -> list[str]:
    until = policy.change_until
    if until is None or until <= now:
        return [_("It cannot be moved to another day, trip or seat.")]
    fee = Money(policy.change_fee_minor, currency)
    costs = (
        _("Another day, trip or seat until {moment}: {fee} for each person, and what it costs more.")
        if fee
        else _("Another day, trip or seat until {moment}: free of charge, you pay only what it costs more.")
    )
    return [costs.format(moment=moment(until, zone), fee=format_money(fee)), _when_cheaper(policy, now)]


def _when_cheaper(policy: ChangePolicy, now: datetime) -> str:
    """What becomes of the difference; see `rate_when_given_up`."""
    latest = policy.cancel_until
    if latest is None or latest <= now or (policy.tiers and not any(tier.refund_bp for tier in policy.tiers)):
        return _("If the new seat costs less, nothing of the difference comes back.")
    return _("If the new seat costs less, as much of the difference comes back as of the fare if you cancelled then.")


def _renaming(policy: ChangePolicy, currency: str, zone: str, now: datetime) -> list[str]:
    until = policy.rename_until
    if until is None or until <= now:
        return []
    fee = Money(policy.rename_fee_minor, currency)
    text = (
        _("Other names until {moment}: {fee} for each person.")
        if fee
        else _("Other names until {moment}: free of charge.")
    )
    return [text.format(moment=moment(until, zone), fee=format_money(fee))]
