"""Every route of the application, and for whom it is. Whoever adds one decides it here, too.

A rule is one of `edge.access`, or the permission that a route of staff asks for; `fresh`: with a proof of the last
minutes. The API's routes are answered under `/api` as well, by the same rules.
"""

from typing import Final

RULES: Final = {
    "public": """
        GET /
        GET /.well-known/jwks.json
        GET /account/link
        POST /api/v1/auth/change-email/confirm
        POST /api/v1/auth/forgot-password
        GET /api/v1/auth/google
        GET /api/v1/auth/google/callback
        GET /api/v1/auth/jwks
        POST /api/v1/auth/login
        POST /api/v1/auth/login/second-factor
        POST /api/v1/auth/logout
        GET /api/v1/auth/oidc/{provider:str}
        GET /api/v1/auth/oidc/{provider:str}/callback
        POST /api/v1/auth/passkeys/sign-in
        POST /api/v1/auth/passkeys/sign-in/options
        GET /api/v1/auth/providers
        POST /api/v1/auth/refresh
        POST /api/v1/auth/register
        POST /api/v1/auth/resend-verification
        POST /api/v1/auth/reset-password
        POST /api/v1/auth/verify-email
        GET /api/v1/avatars/{key:str}
        POST /api/v1/bookings/guest/lookup
        POST /api/v1/bookings/guest/verify
        POST /api/v1/devices/pair
        POST /api/v1/guest-sessions
        GET /api/v1/openapi.json
        GET /api/v1/openapi.json/openapi.json
        GET /api/v1/openapi.json/{path:str}
        POST /api/v1/payments/sandbox/{payment_id:uuid}
        GET /api/v1/places/suggest
        GET /api/v1/seats/lock/{trip_id:uuid}/status
        GET /api/v1/trips/search
        WEBSOCKET /api/v1/trips/{trip_id:str}/live
        GET /api/v1/trips/{trip_id:uuid}
        GET /api/v1/trips/{trip_id:uuid}/live/sse
        GET /api/v1/trips/{trip_id:uuid}/seats
        POST /api/v1/webhooks/payments/{provider:str}
        GET /auth/google
        GET /auth/google/callback
        GET /auth/oidc/{provider:str}
        GET /auth/oidc/{provider:str}/callback
        GET POST /change-email
        GET /expired
        GET /favicon.ico
        GET POST /find
        GET POST /find/code
        GET POST /forgot-password
        GET /goodbye
        GET /health/live
        GET /health/ready
        GET /help
        GET /join
        POST /language
        GET POST /pair
        GET POST /pay/sandbox/{payment_id:uuid}
        GET POST /register
        GET POST /reset-password
        GET /search
        GET POST /sign-in
        GET POST /sign-in/code
        GET POST /sign-in/passkey
        POST /sign-in/passkey/options
        POST /sign-out
        GET /static/{digest:str}/{path:path}
        GET /terms
        GET /trips/{trip_id:uuid}
        GET POST /trips/{trip_id:uuid}/seats
        GET POST /unsubscribe/{token:str}
        GET POST /verify-email
        POST /verify-email/again
    """,
    "guest": """
        POST /api/v1/bookings
        POST /api/v1/seats/lock
        DELETE /api/v1/seats/lock/{lock_id:uuid}
        PATCH /api/v1/seats/lock/{lock_id:uuid}/extend
        GET /api/v1/seats/lock/{lock_id:uuid}/open-return
        POST /checkout/{hold_id:uuid}/extend
        GET POST /checkout/{hold_id:uuid}/passengers
        POST /checkout/{hold_id:uuid}/rides
    """,
    "booking": """
        GET /api/v1/bookings
        GET /api/v1/bookings/guest/lookup
        GET /api/v1/bookings/reference/{reference:str}
        DELETE GET PATCH /api/v1/bookings/{booking_id:uuid}
        PUT /api/v1/bookings/{booking_id:uuid}/cancel
        GET /api/v1/bookings/{booking_id:uuid}/cancellation-quote
        DELETE GET POST /api/v1/bookings/{booking_id:uuid}/change
        POST /api/v1/bookings/{booking_id:uuid}/change-quote
        POST /api/v1/bookings/{booking_id:uuid}/confirm
        GET /api/v1/bookings/{booking_id:uuid}/e-ticket
        GET /api/v1/bookings/{booking_id:uuid}/invoices
        GET /api/v1/invoices/{invoice_id:uuid}/pdf
        GET /api/v1/bookings/{booking_id:uuid}/e-ticket.ics
        GET /api/v1/bookings/{booking_id:uuid}/e-ticket/preview
        POST /api/v1/bookings/{booking_id:uuid}/email-ticket
        POST /api/v1/bookings/{booking_id:uuid}/modify
        POST /api/v1/bookings/{booking_id:uuid}/open-return
        POST /api/v1/bookings/{booking_id:uuid}/open-return-quote
        POST /api/v1/bookings/{booking_id:uuid}/passengers/{passenger_id:uuid}/rename
        POST /api/v1/bookings/{booking_id:uuid}/rebook
        POST /api/v1/payments/confirm
        POST /api/v1/payments/create
        POST /api/v1/payments/intent
        GET /api/v1/payments/methods
        GET /api/v1/payments/{payment_id:uuid}
        GET /api/v1/payments/{payment_id:uuid}/refunds
        GET /api/v1/users/{user_id:uuid}/bookings
        GET POST /bookings/{booking_id:uuid}
        GET POST /bookings/{booking_id:uuid}/account
        POST /bookings/{booking_id:uuid}/again
        GET POST /bookings/{booking_id:uuid}/cancel
        GET /bookings/{booking_id:uuid}/change
        GET POST /bookings/{booking_id:uuid}/change/quote
        GET POST /bookings/{booking_id:uuid}/change/waiting
        POST /bookings/{booking_id:uuid}/extend
        GET POST /bookings/{booking_id:uuid}/failed
        GET /bookings/{booking_id:uuid}/way-back
        GET POST /bookings/{booking_id:uuid}/way-back/quote
        GET POST /bookings/{booking_id:uuid}/invoice-details
        GET /bookings/{booking_id:uuid}/invoices/{invoice_id:uuid}
        GET POST /bookings/{booking_id:uuid}/names
        GET POST /bookings/{booking_id:uuid}/passengers
        GET /bookings/{booking_id:uuid}/return
        GET POST /bookings/{booking_id:uuid}/review
        GET POST /bookings/{booking_id:uuid}/seats
        GET /bookings/{booking_id:uuid}/transfer/{payment_id:uuid}
        GET /pay/bank/{payment_id:uuid}
        GET /bookings/{booking_id:uuid}/tickets.pdf
        GET /bookings/{booking_id:uuid}/trip.ics
    """,
    "user": """
        GET /account
        GET /account/bookings
        GET POST /account/confirm
        POST /account/confirm/options
        GET POST /account/email
        GET POST /account/password
        GET POST /account/preferences
        GET /account/privacy
        POST /account/privacy/consents
        GET POST /account/profile
        POST /account/profile/picture
        GET /account/security
        POST /account/security/authenticator/{factor_id:uuid}
        GET POST /account/security/factors/{factor_id:uuid}
        POST /account/security/sessions/end-others
        POST /account/security/sessions/{session_id:uuid}/end
        GET POST /account/settings
        GET /account/tickets
        GET POST /account/wallet
        GET /account/wallet/receipts/{payment_id:uuid}
        POST /api/v1/auth/change-email
        POST /api/v1/auth/change-password
        GET POST /api/v1/auth/confirm
        POST /api/v1/auth/confirm/options
        GET /api/v1/auth/factors
        POST /api/v1/auth/factors/totp/{factor_id:uuid}/confirm
        PATCH /api/v1/auth/factors/{factor_id:uuid}
        GET /api/v1/auth/identities
        GET /api/v1/auth/me
        POST /api/v1/invitations/accept
        GET /api/v1/operators
        GET /api/v1/users/accesses
        GET PUT /api/v1/users/consents
        GET /api/v1/users/erasure
        GET PUT /api/v1/users/preferences
        GET PUT /api/v1/users/profile
        DELETE PUT /api/v1/users/profile/avatar
        DELETE GET /api/v1/users/sessions
        DELETE /api/v1/users/sessions/{session_id:uuid}
        GET PUT /api/v1/users/settings
        GET /api/v1/wallet
        GET /api/v1/wallet/payout-quote
        GET /api/v1/wallet/receipts/{payment_id:uuid}/pdf
        POST /api/v1/wallet/top-up
        GET /api/v1/wallet/transactions
        GET /console
        POST /join
    """,
    "user fresh": """
        POST /api/v1/wallet/payout
        POST /account/link
        GET POST /account/privacy/erase
        GET /account/privacy/export.zip
        GET POST /account/wallet/payout
        GET POST /account/security/authenticator
        GET /account/security/authenticator/{factor_id:uuid}
        GET POST /account/security/factors/{factor_id:uuid}/remove
        GET POST /account/security/identities/{identity_id:str}/remove
        GET POST /account/security/passkeys/new
        POST /account/security/passkeys/options
        GET POST /account/security/recovery-codes
        POST /api/v1/auth/factors/totp
        DELETE /api/v1/auth/factors/{factor_id:uuid}
        DELETE /api/v1/auth/identities/{identity_id:str}
        POST /api/v1/auth/passkeys
        POST /api/v1/auth/passkeys/options
        POST /api/v1/auth/recovery-codes
        GET /api/v1/users/export
        DELETE /api/v1/users/me
    """,
    "audit:read": """
        GET /api/v1/audit/personal
    """,
    "bookings:sell": """
        POST /console/{operator_id:uuid}/find
        GET /console/{operator_id:uuid}/till
        POST /console/{operator_id:uuid}/till/find
        GET /console/{operator_id:uuid}/till/bookings/{booking_id:uuid}
        POST /console/{operator_id:uuid}/till/bookings/{booking_id:uuid}/cash
    """,
    "departures:read": """
        GET /console/{operator_id:uuid}
    """,
    "devices:manage": """
        GET /api/v1/operators/{operator_id:uuid}/devices
        DELETE /api/v1/operators/{operator_id:uuid}/devices/{device_id:uuid}
        GET /console/{operator_id:uuid}/devices
        GET POST /console/{operator_id:uuid}/devices/{device_id:uuid}/revoke
    """,
    "devices:manage fresh": """
        POST /api/v1/operators/{operator_id:uuid}/devices
        POST /api/v1/operators/{operator_id:uuid}/devices/{device_id:uuid}/code
        GET POST /console/{operator_id:uuid}/devices/new
        GET POST /console/{operator_id:uuid}/devices/{device_id:uuid}/code
    """,
    "fares:change": """
        GET PUT /api/v1/operators/{operator_id:uuid}/fares
        GET POST /api/v1/promotions
        GET /api/v1/promotions/{promotion_id:uuid}
        POST /api/v1/promotions/{promotion_id:uuid}/end
        GET /console/{operator_id:uuid}/codes
        GET POST /console/{operator_id:uuid}/codes/new
        GET POST /console/{operator_id:uuid}/codes/{promotion_id:uuid}/end
        GET /console/{operator_id:uuid}/fares
        GET POST /console/{operator_id:uuid}/fares/distance
        GET POST /console/{operator_id:uuid}/fares/end
        GET POST /console/{operator_id:uuid}/fares/set
        GET /console/{operator_id:uuid}/fares/try
        GET /console/{operator_id:uuid}/rules
        GET POST /console/{operator_id:uuid}/rules/new
        GET POST /console/{operator_id:uuid}/rules/{key:str}
        GET POST /console/{operator_id:uuid}/rules/{key:str}/off
        POST /console/{operator_id:uuid}/rules/{key:str}/on
        GET POST /console/{operator_id:uuid}/rules/{key:str}/remove
        GET /console/{operator_id:uuid}/terms
        GET POST /console/{operator_id:uuid}/terms/edit
        GET POST /console/{operator_id:uuid}/terms/end
        GET POST /console/{operator_id:uuid}/terms/money
    """,
    "internal": """
        GET /dev/mailbox
        GET /dev/mailbox/{message_id:uuid}
        GET /dev/mailbox/{message_id:uuid}/files/{filename:str}
        GET /dev/mailbox/{message_id:uuid}/html
        GET /metrics
    """,
    "keys:manage": """
        GET /api/v1/operators/{operator_id:uuid}/keys
        GET /console/{operator_id:uuid}/keys
    """,
    "keys:manage fresh": """
        POST /api/v1/operators/{operator_id:uuid}/keys
        DELETE /api/v1/operators/{operator_id:uuid}/keys/{key_id:uuid}
        GET POST /console/{operator_id:uuid}/keys/new
        GET POST /console/{operator_id:uuid}/keys/{key_id:uuid}/revoke
    """,
    "payments:receive": """
        POST /api/v1/payments/{payment_id:uuid}/received
        GET POST /console/{operator_id:uuid}/till/bookings/{booking_id:uuid}/payments/{payment_id:uuid}/received
    """,
    "payments:refund": """
        GET /api/v1/payments/refunds/by-hand
        GET /api/v1/bookings/{booking_id:uuid}/operator-cancellation
    """,
    "payments:refund fresh": """
        POST /api/v1/bookings/{booking_id:uuid}/operator-cancellation
        POST /api/v1/payments/refund
        POST /api/v1/payments/refunds/{refund_id:uuid}/again
        POST /api/v1/payments/refunds/{refund_id:uuid}/paid
        GET POST /console/{operator_id:uuid}/till/bookings/{booking_id:uuid}/payments/{payment_id:uuid}/back
        GET POST /console/{operator_id:uuid}/till/refunds/{refund_id:uuid}/again
        GET POST /console/{operator_id:uuid}/till/refunds/{refund_id:uuid}/paid
    """,
    "people:erase fresh": """
        DELETE /api/v1/people/{person_id:uuid}
    """,
    "staff:manage": """
        GET /api/v1/operators/{operator_id:uuid}/invitations
        DELETE /api/v1/operators/{operator_id:uuid}/invitations/{invitation_id:uuid}
        POST /api/v1/operators/{operator_id:uuid}/invitations/{invitation_id:uuid}/resend
        GET /api/v1/operators/{operator_id:uuid}/policy
        GET /api/v1/operators/{operator_id:uuid}/staff
        GET /console/{operator_id:uuid}/staff
        POST /console/{operator_id:uuid}/staff/invitations/{invitation_id:uuid}/resend
        POST /console/{operator_id:uuid}/staff/invitations/{invitation_id:uuid}/revoke
    """,
    "staff:manage fresh": """
        POST /api/v1/operators/{operator_id:uuid}/invitations
        PUT /api/v1/operators/{operator_id:uuid}/policy
        DELETE PATCH /api/v1/operators/{operator_id:uuid}/staff/{user_id:uuid}
        GET POST /console/{operator_id:uuid}/staff/invite
        POST /console/{operator_id:uuid}/staff/policy
        GET POST /console/{operator_id:uuid}/staff/{person_id:uuid}
    """,
}


def declared() -> dict[tuple[str, str], str]:
    """(method, path) -> rule."""
    found: dict[tuple[str, str], str] = {}
    for rule, lines in RULES.items():
        for line in lines.split("\n"):
            *methods, path = line.split() or [""]
            for method in methods:
                assert (method, path) not in found, f"{method} {path} is there twice"
                found[method, path] = rule
    return found
