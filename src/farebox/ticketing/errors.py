"""What ticketing refuses."""

from farebox.core.errors import DomainError, NotFound
from farebox.core.i18n import N_


class TicketInvalid(DomainError):
    """A code that was not signed here, or was changed: always the same answer, whatever is wrong with it."""

    code = "ticket-invalid"
    message = N_("This is not a valid ticket.")


class TicketNotFound(NotFound):
    code = "ticket-not-found"
    message = N_("There is no such ticket in this booking.")


class NotTicketed(DomainError):
    """Tickets exist once a booking is confirmed, and while it stays so."""

    code = "not-ticketed"
    message = N_("There are no tickets for this booking, since it is not confirmed.")
