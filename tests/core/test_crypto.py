import stat

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from farebox.core.crypto import Secrets, load_secrets, new_token, once_made_password, token_digest


def test_what_is_sealed_opens_again(secrets):
    assert secrets.decrypt(secrets.encrypt("Nguyễn Thị Ánh")) == "Nguyễn Thị Ánh"


def test_the_same_text_seals_differently_each_time(secrets):
    assert secrets.encrypt("A") != secrets.encrypt("A")


def test_a_changed_text_does_not_open(secrets):
    sealed = bytearray(secrets.encrypt("001200012345"))
    sealed[-1] ^= 1
    with pytest.raises(ValueError, match="sealed with another key, for another place, or changed"):
        secrets.decrypt(bytes(sealed))


def test_another_installation_cannot_open(secrets):
    with pytest.raises(ValueError, match="sealed with another key"):
        Secrets(b"x" * 32, b"k" * 32).decrypt(secrets.encrypt("A"))


def test_a_blind_index_finds_and_does_not_tell(secrets):
    assert secrets.blind_index("a@b.c") == secrets.blind_index("a@b.c")
    assert secrets.blind_index("a@b.c") != Secrets(b"x" * 32, b"k" * 32).blind_index("a@b.c")


def test_a_signature_holds_for_its_payload_only(secrets):
    key = Ed25519PublicKey.from_public_bytes(secrets.public_key)
    signature = secrets.sign(b"ticket")
    key.verify(signature, b"ticket")
    with pytest.raises(InvalidSignature):
        key.verify(signature, b"tickeT")


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path):
    first, second = load_secrets(tmp_path, {}), load_secrets(tmp_path, {})
    assert first.public_key == second.public_key
    for path in (tmp_path / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_keys_from_the_environment_win(tmp_path):
    environ = {"FAREBOX_SECRET_KEY": "A" * 43, "FAREBOX_SIGNING_KEY": "B" * 43}
    assert load_secrets(tmp_path, environ).public_key == load_secrets(tmp_path / "b", environ).public_key
    assert not (tmp_path / "secrets").exists()


def test_a_short_key_is_refused(tmp_path):
    with pytest.raises(ValueError, match="must be 32 bytes"):
        load_secrets(tmp_path, {"FAREBOX_SECRET_KEY": "AAAA"})


def test_a_password_is_made_once(tmp_path):
    assert once_made_password(tmp_path, "operations") == once_made_password(tmp_path, "operations")
    assert len(once_made_password(tmp_path, "operations")) == 20


def test_tokens_differ_and_are_stored_as_digests():
    assert new_token("fbg") != new_token("fbg")
    assert new_token("fbg").startswith("fbg_")
    assert len(token_digest("fbg_x")) == 32
