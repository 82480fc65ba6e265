"""What notifications refuse."""

from farebox.core.errors import DomainError, NotFound
from farebox.core.i18n import N_


class MessageNotFound(NotFound):
    code = "message-not-found"
    message = N_("There is no such message.")


class TooManyMessages(DomainError):
    """Asked for too often; `retry_after` is in seconds."""

    code = "too-many-messages"
    message = N_("The tickets were just sent. Look into your mailbox and its spam folder, or try again later.")
