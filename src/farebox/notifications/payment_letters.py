"""The words of messages about money and open returns: to the traveller, and to operators who are to do something."""

from collections.abc import Mapping
from typing import Final

from farebox.core.i18n import N_
from farebox.notifications.letters import Letter
from farebox.notifications.views import MessageKind

OPEN_BOOKING: Final = N_("Open my booking")
OPEN_WALLET: Final = N_("Open my wallet")

PAYMENT_LETTERS: Final[Mapping[MessageKind, Letter]] = {
    MessageKind.PART_PAID: Letter(
        N_("A part of the price of booking {reference} has come"),
        (
            N_("We have received {amount}. To confirm your booking, {missing} is still to be paid."),
            N_("Pay the rest before the time to pay is over. If it is not paid, what has come goes back to you."),
        ),
        OPEN_BOOKING,
    ),
    MessageKind.RECEIPT: Letter(
        N_("Receipt for booking {reference}"),
        (
            N_("We have received your payment of {amount} on {at}. Thank you."),
            N_("It is for: {trips}."),
            N_("The invoice is attached."),
        ),
        OPEN_BOOKING,
    ),
    MessageKind.CREDIT_NOTE: Letter(
        N_("Credit note {number} for booking {reference}"),
        (
            N_("Something has changed about your booking, so {amount} of an earlier invoice does not count any more."),
            N_("The credit note is attached, and the new invoice where there is one. You need not do anything."),
        ),
        OPEN_BOOKING,
    ),
    MessageKind.TOP_UP_RECEIPT: Letter(
        N_("Receipt: {amount} in your wallet"),
        (
            N_("We have received {amount} from you on {at}, and put it into your wallet. Thank you."),
            N_("Receipt number: {number}. You can pay for bookings with this money at once."),
        ),
        N_("Open the receipt (PDF)"),
    ),
    MessageKind.REFUND_FAILED: Letter(
        N_("Your money for booking {reference} could not be sent back"),
        (
            N_("We wanted to send {amount} back the way it came, and your bank or card did not take it."),
            N_("You do not lose it. We have told the operator, who will send it to you another way."),
        ),
        OPEN_BOOKING,
    ),
    MessageKind.OPEN_RETURNS_CANCELLED: Letter(
        N_("The open return of your booking {reference} was cancelled"),
        (
            N_("You have given up your ride back. Your other tickets are valid as before."),
            N_("Paid back: {refund}. Kept, under the terms of your booking: {kept}."),
        ),
        OPEN_BOOKING,
    ),
    MessageKind.OPEN_RETURNS_UNPAID: Letter(
        N_("The open return of your booking {reference} was cancelled"),
        (
            N_("Your bank has taken your payment back, so the ride back that you had not chosen is not paid for."),
            N_("Your other tickets are valid as before."),
        ),
        OPEN_BOOKING,
    ),
    MessageKind.OPEN_RETURNS_ENDING: Letter(
        N_("Choose your ride back: booking {reference}"),
        (
            N_("Your open return from {origin} to {destination} ends soon."),
            N_("Your ride back must begin by {until}."),
            N_("Choose it on the page of your booking while there are free seats."),
            N_("If you do not use it, {percent}% of its price is paid back."),
        ),
        OPEN_BOOKING,
    ),
    MessageKind.OPEN_RETURNS_ENDED: Letter(
        N_("The open return of your booking {reference} has ended"),
        (
            N_("Its time is over, and no ride back was chosen."),
            N_("Paid back, the way it came: {refund}. Kept, under the terms of your booking: {kept}."),
        ),
        OPEN_BOOKING,
    ),
    MessageKind.DISPUTE_OPENED: Letter(
        N_("Your bank asks about your payment for booking {reference}"),
        (
            N_(
                "Your bank has taken back {amount} for now, since the payment was questioned. Your booking stays valid."
            ),
            N_(
                "If that was a mistake, tell your bank. If the bank keeps the money before the trip, we cancel the"
                " booking."
            ),
        ),
        OPEN_BOOKING,
    ),
    MessageKind.PART_DISPUTED: Letter(
        N_("Your bank asks about your payment for booking {reference}"),
        (
            N_(
                "Your bank has taken back {amount} for now, since the payment was questioned. As long as the bank has"
                " it, it does not count for your booking."
            ),
            N_("To keep your seats, pay that amount another way before the time to pay is over."),
        ),
        OPEN_BOOKING,
    ),
    MessageKind.DISPUTE_WON: Letter(
        N_("Your payment for booking {reference} is settled"),
        (N_("Your bank has confirmed the payment of {amount}. Nothing changes about your booking."),),
        OPEN_BOOKING,
    ),
    MessageKind.DISPUTE_LOST: Letter(
        N_("Your bank has taken back your payment for booking {reference}"),
        (
            N_("Your bank has given {amount} back to you."),
            N_("If the trip had not begun, the booking is cancelled now, and its tickets are not valid any more."),
        ),
        OPEN_BOOKING,
    ),
    MessageKind.WALLET_DISPUTE_OPENED: Letter(
        N_("Your bank asks about {amount} in your wallet"),
        (
            N_("Your bank has taken back {amount} for now, since the payment into your wallet was questioned."),
            N_(
                "Until the bank has decided, {in_wallet} of what is in your wallet, or comes into it, is held back: it"
                " cannot be spent or paid out. Your bookings stay valid."
            ),
            N_(
                "If the payment was yours, tell your bank so; once the bank confirms it, the money is free again. If it"
                " was not, you need not do anything: if the bank keeps the money, we take it out of the wallet."
            ),
        ),
        OPEN_WALLET,
    ),
    MessageKind.WALLET_DISPUTE_WON: Letter(
        N_("The money in your wallet is free again"),
        (
            N_(
                "Your bank has confirmed the payment of {amount} into your wallet. Nothing in it is held back for that"
                " any more."
            ),
        ),
        OPEN_WALLET,
    ),
    MessageKind.WALLET_DISPUTE_LOST: Letter(
        N_("Your bank has taken back {amount} of your wallet"),
        (
            N_("Your bank has given {amount} back to you that you had put into your wallet."),
            N_("So we have taken out of it what was left of that: {in_wallet}. You need not do anything."),
        ),
        OPEN_WALLET,
    ),
    MessageKind.WALLET_DISPUTE_UNTAKEN: Letter(
        N_("Your bank has taken back {amount} that you had put into your wallet"),
        (
            N_("Your bank has given {amount} back to you that you had put into your wallet."),
            N_("Nothing of that was left in the wallet, so nothing was taken out of it. You need not do anything."),
        ),
        OPEN_WALLET,
    ),
    MessageKind.OPERATOR_REFUND_FAILED: Letter(
        N_("Booking {reference}: {amount} could not be paid back"),
        (
            N_("The payment service refused to give {amount} back to the traveller of booking {reference}."),
            N_("The money is still owed. Send it again, or pay it out another way."),
        ),
    ),
    MessageKind.OPERATOR_DISPUTE_OPENED: Letter(
        N_("Booking {reference}: a bank wants {amount} back"),
        (
            N_("The payer's bank has taken back {amount} for booking {reference}, and looks into it."),
            N_("Answer it with the payment service, with the booking and what shows that the trip was made."),
        ),
    ),
    MessageKind.OPERATOR_DISPUTE_WON: Letter(
        N_("Booking {reference}: {amount} stays"),
        (N_("The payer's bank has returned {amount} of booking {reference}."),),
    ),
    MessageKind.OPERATOR_DISPUTE_LOST: Letter(
        N_("Booking {reference}: {amount} is lost"),
        (
            N_("The payer's bank keeps {amount} of booking {reference}."),
            N_("If the trip had not begun, the booking is cancelled, and its seats are on sale again."),
        ),
    ),
}
"""Kind -> its words."""
