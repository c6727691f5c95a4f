"""Signed notes: the format of other programs, keys that others may read, and signatures that do not count."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.kernel.proof.signed_note import (
    SignedNote,
    SigningKey,
    VerifyingKey,
    WrongKey,
    create_key,
    load_key,
    load_public_keys,
    written,
)

NAME = "policy-ledger/quote"
KEY = SigningKey(NAME, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = SigningKey(NAME, Ed25519PrivateKey.from_private_bytes(bytes(32)))
TEXT = "policy-ledger/quote\n3\nAAAA\n"


def test_a_note_is_written_as_it_is_known() -> None:
    assert KEY.public.text == "policy-ledger/quote+5a885adc+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
    note = written(TEXT, [KEY])
    assert note == (
        f"{TEXT}\n\u2014 policy-ledger/quote "
        f"{base64.b64encode(KEY.public.id + KEY.private.sign(TEXT.encode())).decode()}\n\n"
    )
    assert note.split()[-1].startswith("Woha3")


def test_the_example_of_the_format_is_read() -> None:
    # From c2sp.org/signed-note: the key of the Go checksum database.
    text = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    key = VerifyingKey.parse(text)
    assert (key.name, key.id.hex(), key.text) == ("sum.golang.org", "033de0ae", text)


def test_a_note_is_signed_by_its_key_alone() -> None:
    note = SignedNote.parse(written(TEXT, [KEY]))
    assert note.text == TEXT
    assert note.signed_by([OTHER.public, KEY.public]) == [KEY.public]
    assert note.signed_by([OTHER.public]) == []


def test_a_note_may_have_several_signatures() -> None:
    note = SignedNote.parse(written(TEXT, [KEY, OTHER]))
    assert note.signed_by([OTHER.public, KEY.public]) == [KEY.public, OTHER.public]


def test_a_signature_over_another_text_counts_for_nothing() -> None:
    assert SignedNote.parse(written(TEXT, [KEY]).replace("\n3\n", "\n4\n")).signed_by([KEY.public]) == []


@pytest.mark.parametrize(
    "content", ["", "a\n", "a\n\n", "a\n\nb\n", f"a\n\n\u2014 {NAME} AAAA\n", f"a\n\n- {NAME} {'A' * 92}\n"]
)
def test_what_is_no_signed_note_is_refused(content: str) -> None:
    with pytest.raises(ValueError, match="sign"):
        SignedNote.parse(content)


def test_a_key_is_kept_for_its_owner_alone_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "quote.pem"
    made = create_key(path, NAME)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key(path, NAME).public == made.public
    with pytest.raises(FileExistsError):
        create_key(path, NAME)
    path.chmod(0o640)
    with pytest.raises(WrongKey, match="chmod 600"):
        load_key(path, NAME)


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "quote.pem"
    path.touch(0o600)
    with pytest.raises(WrongKey, match="not a readable key"):
        load_key(path, NAME)
    with pytest.raises(WrongKey, match="not a readable key"):
        load_key(tmp_path / "absent.pem", NAME)


@pytest.mark.parametrize(
    "text",
    ["", "quote", "quote+00000000+AAAA", KEY.public.text.replace("5a88", "5a89"), KEY.public.text.replace("+A", "+B")],
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(WrongKey):
        VerifyingKey.parse(text)


def test_public_keys_are_read_by_name(tmp_path: Path) -> None:
    path = tmp_path / "public-keys"
    path.write_text(f"# keys\n\n{KEY.public.text}\n{OTHER.public.text}\n")
    assert load_public_keys(path) == {NAME: [KEY.public, OTHER.public]}
