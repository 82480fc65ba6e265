"""Who adds or removes a way to sign in is told by mail: it may have been somebody else."""

import pyotp

from farebox.accounts import Claims, hold_for_linking, link_identity, list_identities, unlink_identity
from farebox.notifications import MessageKind


async def set_up(house, client):
    setup = (await client.post("/factors/totp", json={"name": "Phone"})).json()
    code = pyotp.TOTP(setup["secret"]).at(house.clock.now)
    confirmed = await client.post(f"/factors/totp/{setup['factorId']}/confirm", json={"code": code})
    assert confirmed.status_code == 200, confirmed.text
    return setup["factorId"]


async def test_each_change_of_a_factor_is_told_once(house):
    await house.register()
    client = await house.signed_in()
    await house.mails()
    factor_id = await set_up(house, client)
    added = await house.mail()
    assert (added.kind, added.subject) == (MessageKind.FACTOR_ADDED, "A second factor was added to your account")
    assert "http://127.0.0.1:8000/account/security" in added.text
    assert "If that was not you" in added.text
    assert "Phone" not in added.text
    assert (await client.post("/recovery-codes")).status_code == 201
    assert (await house.mail()).kind is MessageKind.RECOVERY_CODES_RENEWED
    assert (await client.delete(f"/factors/{factor_id}")).status_code == 204
    assert (await house.mail()).kind is MessageKind.FACTOR_REMOVED
    assert await house.mails() == []


async def test_a_setup_that_was_not_confirmed_is_no_news(house):
    await house.register()
    client = await house.signed_in()
    await house.mails()
    await client.post("/factors/totp", json={"name": "Phone"})
    assert await house.mails() == []


async def test_a_link_and_its_end_are_told_in_the_persons_language(house):
    await house.register()
    person_id = await house.ask("UPDATE person SET language = 'vi' RETURNING id")
    database, secrets = house.services.database, house.services.secrets
    claims = Claims("google", "https://accounts.google.com", "an-1", "an@gmail.example", "An", "Nguyễn")
    async with database.begin() as work:
        await link_identity(work, await hold_for_linking(work, claims, secrets=secrets), person_id)
    linked = await house.mail()
    assert linked.kind is MessageKind.IDENTITY_LINKED
    assert linked.subject == "Một tài khoản khác đã được liên kết với tài khoản của bạn"
    async with database.begin() as work:
        [identity] = await list_identities(work, person_id, secrets=secrets)
        await unlink_identity(work, person_id, identity.id)
    assert (await house.mail()).kind is MessageKind.IDENTITY_UNLINKED
