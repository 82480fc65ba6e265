"""Errors of accounts."""

from farebox.core.errors import NotFound
from farebox.core.i18n import N_


class OperatorNotFound(NotFound):
    code = "operator-not-found"
    message = N_("There is no such operator.")
