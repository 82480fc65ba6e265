"""An example of each body that the API takes, by the name of its type in the OpenAPI document."""

from collections.abc import Mapping
from typing import Any, Final

BOOKING_ID = "018f6b2e-0000-7000-8000-00000000d001"
LOCK_ID = "018f6b2e-0000-7000-8000-00000000e001"
PASSENGER_ID = "018f6b2e-0000-7000-8000-00000000a001"
PAYMENT_ID = "018f6b2e-0000-7000-8000-00000000f001"
OPEN_RETURN_ID = "018f6b2e-0000-7000-8000-00000000a002"
PLACE_ID = "018f6b2e-0000-7000-8000-00000000a001"
OTHER_PLACE_ID = "018f6b2e-0000-7000-8000-00000000a002"
STOP_ID = "018f6b2e-0000-7000-8000-00000000b001"
OTHER_STOP_ID = "018f6b2e-0000-7000-8000-00000000b002"
TRIP_ID = "018f6b2e-0000-7000-8000-00000000c001"

EMAIL = "an@example.com"
PHONE = "+84912345678"
PASSWORD = "green coach over the bridge"  # noqa: S105  (nobody's)
SECRET = "Z0rJ6xgW1c2tq3vTQb8m4nYh5kLp7sDfA9uEiRoXyNw"  # noqa: S105  (an example)
REFERENCE = "BUS20261120K7QM2XA"

AMOUNT: Final = {"amount": "12.50", "currency": "EUR"}
PERSON: Final = {
    "seatNumber": "4A",
    "fullName": "Nguyễn Văn An",
    "idType": "citizen_id",
    "idNumber": "001099012345",
    "phone": PHONE,
    "passengerType": "adult",
}
CONTACT: Final = {"email": EMAIL, "phone": PHONE}
SIGNED: Final = {
    "id": SECRET,
    "rawId": SECRET,
    "type": "public-key",
    "response": {
        "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0",
        "authenticatorData": "SZYN5Yg",
        "signature": "MEQ",
    },
}
"""What a browser makes with a passkey, shortened."""

FARES: Final = {
    "currency": "EUR",
    "serviceFee": "1.00",
    "taxRateBp": 800,
    "childDiscountBp": 2500,
    "byDistance": [{"seatType": "standard", "base": "2.00", "per100Km": "4.00", "minimum": "5.00", "step": "0.50"}],
    "surcharges": [{"amount": "1.50", "feature": "window"}],
    "cells": [{"fromPlaceId": PLACE_ID, "toPlaceId": OTHER_PLACE_ID, "adult": "19.00", "child": "14.00"}],
    "priceRules": [
        {"kind": "season", "name": "Tết", "percentBp": 2000, "firstDay": "2027-02-01", "lastDay": "2027-02-14"},
        {"kind": "weekday", "name": "Weekend", "percentBp": 1000, "weekdays": ["saturday", "sunday"]},
    ],
    "saleTerms": [
        {
            "tiers": [{"hoursBefore": 24, "refundBp": 9000}, {"hoursBefore": 4, "refundBp": 5000}],
            "changeHours": 4,
            "renameHours": 1,
        }
    ],
}

BODIES: Final[Mapping[str, Any]] = {
    "Acceptance": {"token": f"fbi_{SECRET}"},
    "BookingChange": {"passengers": [PERSON | {"fullName": "Nguyễn Thị Bình"}], "contact": CONTACT},
    "Cancelling": {"reason": "Ill", "passengers": [PASSENGER_ID], "refundTo": "origin", "expectedRefund": AMOUNT},
    "ChangeEmailRequest": {"newEmail": "binh@example.com", "currentPassword": PASSWORD},
    "ChangeInput": {"lockId": LOCK_ID, "passengers": [{"passengerId": PASSENGER_ID, "seatNumber": "4A"}]},
    "ChangeNow": {
        "lockId": LOCK_ID,
        "passengers": [{"passengerId": PASSENGER_ID, "seatNumber": "4A"}],
        "expectedTotal": AMOUNT,
    },
    "ChangePasswordRequest": {"currentPassword": PASSWORD, "newPassword": "red coach under the bridge"},
    "CodeRequest": {"code": "123456"},
    "ConfirmPayment": {"paymentId": PAYMENT_ID},
    "ConfirmRequest": {"password": PASSWORD},
    "ConsentsRequest": {"consents": [{"purpose": "marketing-email", "given": False}]},
    "EmailRequest": {"email": EMAIL},
    "FareDocument": FARES,
    "LockRequest": {"tripId": TRIP_ID, "seatNumbers": ["4A", "4B"], "from": STOP_ID, "to": OTHER_STOP_ID},
    "LoginRequest": {"email": EMAIL, "password": PASSWORD, "client": "app"},
    "LookupRequest": {"reference": REFERENCE, "contact": EMAIL},
    "LookupVerification": {"reference": REFERENCE, "contact": EMAIL, "code": "123456"},
    "NameRequest": {"name": "My phone"},
    "NewBooking": {"lockId": LOCK_ID, "passengers": [PERSON], "contact": CONTACT, "expectedTotal": AMOUNT},
    "NewDevice": {"name": "Scanner, platform 3"},
    "NewInvitation": {"email": "binh@example.com", "role": "agent"},
    "NewKey": {"name": "Timetable screens", "scopes": ["departures:read"], "days": 90},
    "NewPayment": {"bookingId": BOOKING_ID, "method": "sandbox", "returnUrl": "https://shop.example/thanks"},
    "NewPayout": {"reference": "FT26324000001"},
    "NewPolicy": {"requiresSecondFactor": True},
    "NewReceipt": {"amount": AMOUNT, "reference": "FT26324000001"},
    "NewRefund": {"paymentId": PAYMENT_ID, "amount": AMOUNT, "reason": "The heating was out", "to": "origin"},
    "NewRole": {"role": "driver"},
    "Pairing": {"code": "7KQM-2XHD-R9VW-4TBN", "name": "Pixel 9 of Bình"},
    "PasskeyRequest": {"name": "My phone", "credential": SIGNED},
    "PasskeySignInRequest": {"credential": SIGNED, "client": "app"},
    "Payout": {"amount": AMOUNT, "expectedBalance": {"amount": "40.00", "currency": "EUR"}},
    "PreferencesRequest": {
        "favoriteDestinations": [PLACE_ID],
        "budgetRange": {"min": {"amount": "5.00", "currency": "EUR"}, "max": {"amount": "30.00", "currency": "EUR"}},
        "travelStyle": "comfort",
        "interests": ["food", "history"],
        "dietaryRestrictions": ["vegetarian"],
    },
    "ProfileRequest": {"firstName": "An", "lastName": "Nguyễn", "phoneNumber": PHONE, "language": "vi"},
    "PromotionInput": {"code": "SUMMER-27", "percentBp": 1500, "endsAt": "2027-09-01T00:00:00+07:00"},
    "RebookInput": {"date": "2026-12-01", "hold": True},
    "RedeemInput": {"lockId": LOCK_ID, "openReturns": [{"openReturnId": OPEN_RETURN_ID, "seatNumber": "4A"}]},
    "RedeemNow": {
        "lockId": LOCK_ID,
        "openReturns": [{"openReturnId": OPEN_RETURN_ID, "seatNumber": "4A"}],
        "expectedTotal": AMOUNT,
    },
    "RefreshRequest": {"refreshToken": f"fbr_{SECRET}"},
    "RefundWay": {"to": "wallet"},
    "RegisterRequest": {"email": EMAIL, "password": PASSWORD, "firstName": "An", "lastName": "Nguyễn", "phone": PHONE},
    "RenameInput": {"fullName": "Nguyễn Thị Bình", "idType": "passport", "idNumber": "C1234567"},
    "ResetPasswordRequest": {"token": f"fbl_{SECRET}", "newPassword": PASSWORD},
    "SandboxPlay": {"outcome": "succeeded"},
    "SecondFactorRequest": {"challengeToken": f"fbc_{SECRET}", "code": "123456", "client": "app"},
    "SettingsRequest": {
        "notifications": {"offers": {"email": False}, "reminders": {"email": True, "sms": True}},
        "privacy": {"analytics": False},
        "language": "vi",
        "timezone": "Asia/Ho_Chi_Minh",
    },
    "TokenRequest": {"token": f"fbl_{SECRET}"},
    "TopUp": {"amount": AMOUNT, "method": "sandbox"},
}
