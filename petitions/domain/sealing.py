"""Sealing and blind indexes: pure functions; keys are parameters, nothing is stored.

To seal means to encrypt personal data with age (https://age-encryption.org/v1) to the recipient keys, public keys whose
private halves are never on the server. What must be compared gets a blind index: HMAC-SHA-256 under a random key of the
campaign, so that two campaigns cannot be joined and a copy of the database shows nothing. Links contain an HMAC that is
computed, not stored.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Sequence
from typing import IO

from pyrage import (
    DecryptError,
    IdentityError,
    RecipientError,
    decrypt,
    decrypt_io,
    encrypt,
    encrypt_io,
    passphrase,
    x25519,
)

PAD_TO = 1024  # bytes: names and addresses fit into one block in every script, so a payload's length shows nothing
WORK = range(18, 21)  # scrypt work factor of a key file (log2): from age's own to what a browser can compute
LINK_ID = 16  # bytes
_TAG = 16  # bytes of a link's HMAC: 128 bits
_AGE_FILE = (b"age-encryption.org/", b"-----BEGIN AGE")


class CannotOpen(Exception):
    """The payload was not encrypted to this identity, or is damaged."""


def new_identity() -> tuple[str, str]:
    """A new key pair as (private, public), both in age's text form."""
    identity = x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def public_of(identity: str) -> str:
    """The public half of a private age key; raises ValueError if it is invalid."""
    try:
        return str(x25519.Identity.from_str(identity).to_public())
    except IdentityError as exc:
        raise ValueError("not an age identity (AGE-SECRET-KEY-1…)") from exc


def new_key_file(label: str, words: str) -> tuple[str, str]:
    """A new key pair as (public key, text of a key file), protected by the passphrase `words` unless empty.

    The file has the format of `age-keygen | age -p -a`, so `age -d -i` accepts it.
    """
    private, public = new_identity()
    text = f"# Private key of {label}. Keep it off the server.\n# public key: {public}\n{private}\n"
    return public, protect(text, words) if words else text


def protect(text: str, words: str) -> str:
    """The text encrypted with a passphrase, as an ASCII-armored age file."""
    for _ in range(5):  # pyrage derives the work factor from a short measurement, which can be wrong on a busy machine
        raw = bytes(passphrase.encrypt(text.encode(), words))
        if int(raw.split(b"\n")[1].split()[-1]) in WORK:
            break
    return armored(raw)


def unprotect(text: str, words: str) -> str:
    """What `protect` encrypted; raises CannotOpen if the words are others."""
    try:
        return bytes(passphrase.decrypt(text.encode(), words)).decode()
    except (DecryptError, ValueError) as exc:
        raise CannotOpen from exc


def armored(sealed: bytes) -> str:
    """The age file in ASCII armor, to be copied and pasted; `age -d` accepts it."""
    letters = base64.b64encode(sealed).decode()
    lines = (letters[start : start + 64] for start in range(0, len(letters), 64))
    return "\n".join(["-----BEGIN AGE ENCRYPTED FILE-----", *lines, "-----END AGE ENCRYPTED FILE-----", ""])


def identities_in(key_file: bytes, ask: Callable[[], str]) -> list[str]:
    """The private keys in a key file; `ask` returns its passphrase. Raises CannotOpen if there is none."""
    try:
        if key_file.lstrip().startswith(_AGE_FILE):
            key_file = bytes(passphrase.decrypt(key_file, ask()))
        found = [line.strip() for line in key_file.decode().splitlines() if line.startswith("AGE-SECRET-KEY-")]
        for identity in found:
            x25519.Identity.from_str(identity)
    except (DecryptError, IdentityError, ValueError) as exc:
        raise CannotOpen from exc
    if not found:
        raise CannotOpen
    return found


def is_public_key(text: str) -> bool:
    """Whether `text` is an age public key (age1…)."""
    try:
        x25519.Recipient.from_str(text)
    except RecipientError:
        return False
    return True


def seal(fields: dict[str, str], public_keys: Sequence[str]) -> bytes:
    """The fields as one padded JSON object, encrypted to `public_keys`; any one of their private keys decrypts it."""
    if not public_keys:
        raise ValueError("sealing needs at least one public key")
    plain = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    plain += b" " * (-len(plain) % PAD_TO)  # JSON ignores trailing white space
    return bytes(encrypt(plain, [x25519.Recipient.from_str(key) for key in public_keys]))


def unseal(sealed: bytes, identities: Sequence[str]) -> dict[str, str]:
    """The fields given to `seal`; raises CannotOpen."""
    try:
        plain = decrypt(sealed, [x25519.Identity.from_str(identity) for identity in identities])
        return dict(json.loads(plain))
    except (DecryptError, IdentityError, ValueError) as exc:
        raise CannotOpen from exc


def wrap(secret: bytes, *master_keys: str) -> bytes:
    """A campaign's key, encrypted so that each of these master keys (age identities) decrypts it."""
    return bytes(encrypt(secret, [x25519.Recipient.from_str(public_of(key)) for key in master_keys]))


def unwrap(wrapped: bytes, *master_keys: str) -> bytes:
    """The campaign's key; raises CannotOpen if none of these master keys is the right one."""
    try:
        return bytes(decrypt(wrapped, [x25519.Identity.from_str(key) for key in master_keys]))
    except (DecryptError, IdentityError) as exc:
        raise CannotOpen from exc


def encrypt_file(source: IO[bytes], target: IO[bytes], public_keys: Sequence[str]) -> None:
    """Encrypt a file of any size as one age file; any one of the private keys decrypts it."""
    encrypt_io(source, target, [x25519.Recipient.from_str(key) for key in public_keys])


def decrypt_file(source: IO[bytes], target: IO[bytes], identities: Sequence[str]) -> None:
    """Decrypt an age file; raises CannotOpen if it was encrypted to other keys, OSError if it is damaged."""
    try:
        decrypt_io(source, target, [x25519.Identity.from_str(key) for key in identities])
    except (DecryptError, IdentityError) as exc:
        raise CannotOpen from exc


def new_key() -> bytes:
    """32 random bytes for a campaign's blind index."""
    return secrets.token_bytes(32)


def blind_index(key: bytes, purpose: str, value: str) -> bytes:
    """The blind index of `value`: 32 bytes, equal for equal values under the same key and purpose only."""
    return hmac.digest(key, f"{purpose}\0{value}".encode(), "sha256")


def blind_name(key: bytes, email_key: bytes, name: str) -> bytes:
    """The blind index of a name, bound to its mailbox: the same name in two mailboxes has two indexes."""
    return hmac.digest(email_key, blind_index(key, "name", name), "sha256")


def bound_to(campaign: str, link_id: bytes) -> dict[str, str]:
    """Fields that bind a sealed payload to its row, so that it cannot be moved to another one."""
    return {"campaign": campaign, "id": base64.b64encode(link_id).decode()}


def link_token(secret_key: str, purpose: str, link_id: bytes) -> str:
    """The token of a link for `purpose`: the signer's link_id and an HMAC over it, in base64url."""
    return base64.urlsafe_b64encode(link_id + _tag(secret_key, purpose, link_id)).rstrip(b"=").decode()


def token_name(token: str) -> bytes | None:
    """The link_id in a token, not verified, or the row id (8 bytes) of a link from before version 0.1.0.

    None if it is not a token.
    """
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    return raw[:-_TAG] if len(raw) in (LINK_ID + _TAG, 8 + _TAG) else None


def is_link_token(token: str, secret_key: str, purpose: str, link_id: bytes) -> bool:
    """Whether `token` is what `link_token` returns for this signer; compared in constant time."""
    name = token_name(token)
    message = link_id if name == link_id else (name or b"") + link_id
    expected = base64.urlsafe_b64encode((name or b"") + _tag(secret_key, purpose, message)).rstrip(b"=")
    return hmac.compare_digest(token.encode("utf-8", "replace"), expected)


def short_code(secret_key: str, link_id: bytes) -> str:
    """A six-digit code for a signer, for example at a stall. The caller must limit attempts."""
    tag = _tag(secret_key, "code", link_id)
    return f"{int.from_bytes(tag[:8], 'big') % 1_000_000:06d}"


def check_value(secret: str) -> str:
    """A hash that shows later whether a key is still the same, without revealing it."""
    return _tag(secret, "check", b"").hex()


def _tag(secret_key: str, purpose: str, message: bytes) -> bytes:
    key = hashlib.sha256(f"petitions {purpose}\0{secret_key}".encode()).digest()
    return hmac.digest(key, message, "sha256")[:_TAG]
