"""Several keys at once: the newest seals, all open; what is sealed opens in its own place only."""

import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from farebox.core.crypto import HEADER_BYTES, NONCE_BYTES, Secrets, load_secrets
from farebox.core.keys import KEY_BYTES, SealingKeys, encoded, looks_typed

ROOT, NEXT, SIGNING = b"r" * 32, b"n" * 32, b"k" * 32


@pytest.fixture
def before():
    return Secrets(ROOT, SIGNING)


@pytest.fixture
def after():
    """The root has been replaced; the former one still opens."""
    return Secrets(NEXT, SIGNING, old_keys=[ROOT])


def test_the_newest_key_seals_and_old_ones_open(before, after):
    assert after.decrypt(before.encrypt("001099012345")) == "001099012345"
    with pytest.raises(ValueError, match="another key"):
        before.decrypt(after.encrypt("001099012345"))


def test_what_is_sealed_names_its_version_and_its_key(before, after):
    first, second = before.encrypt("A"), before.encrypt("B")
    assert first[:HEADER_BYTES] == second[:HEADER_BYTES]
    assert first[:1] == b"\x01"
    assert after.encrypt("A")[:HEADER_BYTES] != first[:HEADER_BYTES]
    assert first.startswith(before.header)
    assert after.encrypt("A").startswith(after.header)


def test_what_was_sealed_before_there_were_key_ids_still_opens(before, after):
    nonce = os.urandom(NONCE_BYTES)
    former = nonce + AESGCM(before.derive("field-encryption")).encrypt(nonce, b"+84912345678", None)
    assert before.decrypt(former) == "+84912345678"
    assert after.decrypt(former, place="booking.contact_phone") == "+84912345678"
    assert not former.startswith(before.header)


def test_a_former_value_that_begins_like_one_of_today_opens_too(before):
    nonce = before.encrypt("")[:HEADER_BYTES] + b"\0" * (NONCE_BYTES - HEADER_BYTES)
    former = nonce + AESGCM(before.derive("field-encryption")).encrypt(nonce, b"a@b.c", None)
    assert before.decrypt(former) == "a@b.c"


def test_what_is_sealed_for_one_place_opens_in_no_other(before):
    sealed = before.encrypt("a@b.c", place="booking.contact_email")
    assert before.decrypt(sealed, place="booking.contact_email") == "a@b.c"
    for place in ("booking.contact_phone", ""):
        with pytest.raises(ValueError, match="for another place"):
            before.decrypt(sealed, place=place)


def test_what_is_sealed_for_no_place_opens_in_every_one(before):
    assert before.decrypt(before.encrypt("a@b.c"), place="person.email") == "a@b.c"


def test_a_changed_key_id_does_not_open(before, after):
    sealed = bytearray(before.encrypt("A"))
    sealed[:HEADER_BYTES] = after.encrypt("A")[:HEADER_BYTES]
    with pytest.raises(ValueError, match="changed"):
        after.decrypt(bytes(sealed))


@pytest.mark.parametrize("rubbish", [b"", b"\x01", b"\x01" * 20])
def test_what_was_never_sealed_does_not_open(before, rubbish):
    with pytest.raises(ValueError, match=r"."):
        before.decrypt(rubbish)


def test_a_text_is_searched_by_its_digest_under_every_key(before, after):
    assert after.blind_indexes("a@b.c") == [after.blind_index("a@b.c"), before.blind_index("a@b.c")]
    assert after.blind_index("a@b.c") == Secrets(NEXT, SIGNING).blind_index("a@b.c")


def test_a_key_that_another_process_makes_counts_at_once(tmp_path):
    ours, theirs = load_secrets(tmp_path, {}), load_secrets(tmp_path, {})
    old = ours.encrypt("A")
    SealingKeys(tmp_path / "secrets").make()
    new = theirs.encrypt("B")
    assert new[:HEADER_BYTES] != old[:HEADER_BYTES]
    assert ours.decrypt(new) == "B"
    assert ours.encrypt("C")[:HEADER_BYTES] == new[:HEADER_BYTES]
    assert theirs.decrypt(old) == "A"
    assert len(theirs.blind_indexes("a")) == 2


def test_each_new_key_is_newer_than_the_last(tmp_path):
    keys = SealingKeys(tmp_path)
    made = [keys.make() for _ in range(3)]
    assert list(keys()) == made
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "sealing-0001.key",
        "sealing-0002.key",
        "sealing-0003.key",
    ]


def test_rotating_leaves_all_other_purposes_alone(tmp_path):
    before = load_secrets(tmp_path, {}).derive("csrf")
    SealingKeys(tmp_path / "secrets").make()
    assert load_secrets(tmp_path, {}).derive("csrf") == before


def test_old_keys_come_from_the_environment(tmp_path, before):
    environ = {
        "FAREBOX_SECRET_KEY": encoded(NEXT),
        "FAREBOX_SIGNING_KEY": encoded(SIGNING),
        "FAREBOX_OLD_SECRET_KEYS": f"{encoded(b'o' * 32)}, {encoded(ROOT)}",
    }
    assert load_secrets(tmp_path, environ).decrypt(before.encrypt("A")) == "A"


def test_a_bad_key_is_named_and_not_told(tmp_path):
    environ = {"FAREBOX_OLD_SECRET_KEYS": "geheim!!"}
    with pytest.raises(ValueError, match="FAREBOX_OLD_SECRET_KEYS is not base64url") as caught:
        load_secrets(tmp_path, environ)
    assert "geheim" not in str(caught.value)


def test_a_broken_key_file_is_not_taken_for_a_key(tmp_path):
    load_secrets(tmp_path, {})
    (tmp_path / "secrets" / "secret.key").write_bytes(b"short")
    with pytest.raises(ValueError, match=r"secret\.key must hold 32 bytes"):
        load_secrets(tmp_path, {})


def test_a_key_that_somebody_typed_is_told_from_a_random_one():
    assert looks_typed(b"correct horse battery staple!!!!"[:8] * 4)
    assert not looks_typed(bytes(range(KEY_BYTES)))
