"""A field that need not be given may be `null`: as if it was not given."""

from typing import Annotated, Any

import msgspec
import pytest
from litestar.testing import AsyncTestClient
from tests.apps import app_of

from farebox.api import examples, wire
from farebox.wiring import build_services


def all_kinds(kind: type = wire.Request) -> list[type[wire.Request]]:
    found: list[type[wire.Request]] = []
    subclasses: list[Any] = kind.__subclasses__()
    for each in subclasses:
        found += [each, *all_kinds(each)]
    return found


FARES: Any = examples.FARES
KINDS = {each.__name__: each for each in all_kinds()}
PARTS: dict[str, Any] = {
    "BudgetRequest": {},
    "CellPart": FARES["cells"][0],
    "ChannelsRequest": {},
    "ConsentChoice": {"purpose": "marketing-sms", "given": True},
    "ContactInput": examples.CONTACT,
    "DistancePart": FARES["byDistance"][0],
    "InvoiceToInput": {"name": "Sông Hương"},
    "MoneyInput": examples.AMOUNT,
    "NotificationsRequest": {},
    "PassengerInput": examples.PERSON,
    "PrivacyRequest": {},
    "ReturnWishInput": {"openReturnId": examples.OPEN_RETURN_ID},
    "RulePart": FARES["priceRules"][0],
    "SaleTermsPart": FARES["saleTerms"][0],
    "SeatWishInput": {"passengerId": examples.PASSENGER_ID},
    "SurchargePart": FARES["surcharges"][0],
    "TierPart": FARES["saleTerms"][0]["tiers"][0],
}
"""Examples of what is a part of bodies."""


@pytest.mark.parametrize("name", sorted(KINDS))
def test_null_is_as_good_as_nothing_in_every_field_that_need_not_be_given(name):
    kind = KINDS[name]
    given = PARTS[name] if name in PARTS else examples.BODIES[name]
    fields = msgspec.structs.fields(kind)
    needed = {field.encode_name for field in fields if field.required}
    body = {key: value for key, value in given.items() if key in needed}
    plain = msgspec.convert(body, kind)
    for field in fields:
        if not field.required:
            asked = msgspec.json.decode(msgspec.json.encode(body | {field.encode_name: None}), type=kind)
            if field.name in kind.null_is_default:
                assert asked == plain, field.name
            else:  # by its own type, in which it may say something: "take it away"
                assert getattr(asked, field.name) is None


def test_which_nulls_say_something_of_their_own():
    """Of fields that are otherwise left as they are."""
    telling = {
        (name, field.encode_name)
        for name, kind in KINDS.items()
        for field in msgspec.structs.fields(kind)
        if not field.required and field.name not in kind.null_is_default and field.default is not None
    }
    assert telling == {
        ("BookingChange", "invoiceTo"),
        ("PreferencesRequest", "budgetRange"),
        ("PreferencesRequest", "travelStyle"),
        *(("ProfileRequest", each) for each in ("phoneNumber", "dateOfBirth", "language", "currency", "timezone")),
        *(("SettingsRequest", each) for each in ("language", "currency", "timezone")),
    }


SAYS_NEVER = {"changeHours", "renameHours"}


def test_what_is_needed_may_not_be_null():
    for name, kind in KINDS.items():
        given: dict[str, Any] = PARTS[name] if name in PARTS else examples.BODIES[name]
        for field in msgspec.structs.fields(kind):
            if field.required and field.encode_name not in SAYS_NEVER:
                with pytest.raises(msgspec.ValidationError, match="got `null`"):
                    msgspec.convert(given | {field.encode_name: None}, kind)


def test_lists_of_what_may_be_null_are_not_taken_for_it():
    class Sample(wire.Request):
        needed: int = msgspec.field(name="must")
        names: list[str | None] = msgspec.field(default_factory=list)
        size: Annotated[int, msgspec.Meta(ge=1)] = 3

    class More(Sample):
        more: Annotated[str | None, msgspec.Meta(description="x")] = None

    assert More.null_is_default == ("names", "size")
    assert msgspec.json.decode(b'{"must": 1, "names": null, "size": null, "more": null}', type=More) == More(needed=1)


async def test_the_document_says_so(settings):
    services = build_services(settings)
    async with AsyncTestClient(app_of(services)) as client:
        schemas = (await client.get("/api/v1/openapi.json")).json()["components"]["schemas"]
    await services.dispose()
    asked = 0
    for name in examples.BODIES:
        for field, schema in schemas[name]["properties"].items():
            if field not in schemas[name].get("required", []):
                assert '"null"' in msgspec.json.encode(schema).decode(), (name, field)
                asked += 1
    assert asked > 40
