"""What can be wrong with a question."""

from farebox.core.errors import Invalid
from farebox.core.i18n import N_


class BadQuery(Invalid):
    """A question that cannot be answered; `errors` says which parts of it and why."""

    code = "bad-query"
    message = N_("This search cannot be made. Check what is marked.")
