"""Errors of the domain: a stable code, the facts, a translatable message. They know nothing of HTTP.

The edge (`web`, `api`, `cli`) maps a code to its status, a readable page or an exit code.
"""

from typing import Any, ClassVar

from farebox.core.i18n import N_, gettext


class DomainError(Exception):
    """A refusal that the caller can understand and act on.

    Subclasses set `code` (kebab-case, stable: clients match on it) and `message` (English source text marked with
    `N_`, with `{field}` placeholders filled from the keyword arguments given to the constructor).
    """

    code: ClassVar[str] = "error"
    message: ClassVar[str] = N_("Something went wrong.")

    def __init__(self, **fields: Any) -> None:
        super().__init__(self.code)
        self.fields = fields

    def text(self) -> str:
        """The message in the current language, with the facts filled in."""
        shown = {name: ", ".join(map(str, v)) if isinstance(v, list | tuple) else v for name, v in self.fields.items()}
        return gettext(self.message).format_map(shown)

    def __str__(self) -> str:
        return f"{self.code}: {self.text()}"


class SetupError(DomainError):
    """Something about the machine or the settings is in the way. Only the command line meets it; HTTP knows none."""


class NotFound(DomainError):
    code = "not-found"
    message = N_("We could not find that.")


class NotAllowed(DomainError):
    """No credential, or one that does not reach this thing. What the caller may not see is reported as not found."""

    code = "not-allowed"
    message = N_("You are not allowed to do that.")


class SignInRequired(DomainError):
    code = "credential-required"
    message = N_("Send a valid credential with this request.")


class Busy(DomainError):
    """A bounded wait ran out; trying again soon is right. `retry_after` is in seconds."""

    code = "busy"
    message = N_("Too many people want the same thing at this moment. Try again in a few seconds.")

    def __init__(self, *, retry_after: int = 1) -> None:
        super().__init__(retry_after=retry_after)


class Unavailable(DomainError):
    """The database is out of reach, or has no connection left for us. `retry_after` is in seconds."""

    code = "unavailable"
    message = N_("This does not work at the moment. Try again in a few seconds.")

    def __init__(self, *, retry_after: int = 5) -> None:
        super().__init__(retry_after=retry_after)


class Invalid(DomainError):
    """Input that breaks a rule, field by field.

    Attributes:
        errors: (path of the field such as `passengers.0.fullName`, code, translated message) for each rule broken.
    """

    code = "invalid"
    message = N_("Some fields need your attention.")

    def __init__(self, errors: list["FieldError"]) -> None:
        super().__init__()
        self.errors = errors


class FieldError:
    """One broken rule of one field. The message is translated when it is shown."""

    __slots__ = ("code", "facts", "field", "message")

    def __init__(self, field: str, code: str, message: str, **facts: Any) -> None:
        self.field, self.code, self.message, self.facts = field, code, message, facts

    def text(self) -> str:
        return gettext(self.message).format_map(self.facts)
