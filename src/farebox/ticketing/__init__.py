"""Tickets: the signed code that verifies offline, the PDF, the printable page, the calendar entry."""

from farebox.ticketing.cards import CardStop, Fact, TicketCard, item_in_words, readable_on
from farebox.ticketing.commands import forget_documents, issue_tickets, void_tickets
from farebox.ticketing.documents import calendar, render_booking_pdf, render_preview
from farebox.ticketing.errors import NotTicketed, TicketInvalid, TicketNotFound
from farebox.ticketing.jobs import register_jobs
from farebox.ticketing.pdf import print_with
from farebox.ticketing.qr import qr_png, qr_svg
from farebox.ticketing.queries import get_ticketed_booking, list_tickets, ticket_cards, ticket_cards_of
from farebox.ticketing.tokens import Signer, TicketClaims, verify_token
from farebox.ticketing.views import Ticket, TicketStatus

__all__ = [
    "CardStop",
    "Fact",
    "NotTicketed",
    "Signer",
    "Ticket",
    "TicketCard",
    "TicketClaims",
    "TicketInvalid",
    "TicketNotFound",
    "TicketStatus",
    "calendar",
    "forget_documents",
    "get_ticketed_booking",
    "issue_tickets",
    "item_in_words",
    "list_tickets",
    "print_with",
    "qr_png",
    "qr_svg",
    "readable_on",
    "register_jobs",
    "render_booking_pdf",
    "render_preview",
    "ticket_cards",
    "ticket_cards_of",
    "verify_token",
    "void_tickets",
]
