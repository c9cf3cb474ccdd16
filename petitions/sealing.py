"""Sealing and blinding: pure functions, keys handed in, nothing stored.

Personal data is sealed with age (https://age-encryption.org/v1) to public keys whose private halves never lie on the
server. What must be compared is blinded with HMAC-SHA-256 under a random key of the campaign, so that two campaigns
cannot be joined and a copy of the database says nothing. Links carry an HMAC that is computed, not stored.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence

from pyrage import DecryptError, IdentityError, RecipientError, decrypt, encrypt, x25519

PAD_TO = 256  # bytes: every sealed payload is a multiple of this, so its length tells nothing
_TAG = 16  # bytes of a link's HMAC: 128 bits


class CannotOpen(Exception):
    """The payload was not sealed to this identity, or is damaged."""


def new_identity() -> tuple[str, str]:
    """A fresh key pair as (private, public), both in age's text form."""
    identity = x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def public_of(identity: str) -> str:
    """The public half of a private age key; raises ValueError if it is none."""
    try:
        return str(x25519.Identity.from_str(identity).to_public())
    except IdentityError as why:
        raise ValueError("not an age identity (AGE-SECRET-KEY-1…)") from why


def is_public_key(text: str) -> bool:
    """Whether `text` is an age public key (age1…)."""
    try:
        x25519.Recipient.from_str(text)
    except RecipientError:
        return False
    return True


def seal(fields: dict[str, str], public_keys: Sequence[str]) -> bytes:
    """The fields as one padded JSON object, readable only with a private key of one of `public_keys`."""
    if not public_keys:
        raise ValueError("sealing needs at least one public key")
    plain = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    plain += b" " * (-len(plain) % PAD_TO)  # JSON ignores white space at its end
    return bytes(encrypt(plain, [x25519.Recipient.from_str(key) for key in public_keys]))


def unseal(sealed: bytes, identities: Sequence[str]) -> dict[str, str]:
    """The fields that `seal` took; raises CannotOpen."""
    try:
        plain = decrypt(sealed, [x25519.Identity.from_str(identity) for identity in identities])
        return dict(json.loads(plain))
    except (DecryptError, IdentityError, ValueError) as why:
        raise CannotOpen from why


def wrap(secret: bytes, master_key: str) -> bytes:
    """A campaign's key, locked with the server's master key (an age identity)."""
    return bytes(encrypt(secret, [x25519.Recipient.from_str(public_of(master_key))]))


def unwrap(wrapped: bytes, master_key: str) -> bytes:
    """The campaign's key again; raises CannotOpen if the master key is another one."""
    try:
        return bytes(decrypt(wrapped, [x25519.Identity.from_str(master_key)]))
    except (DecryptError, IdentityError) as why:
        raise CannotOpen from why


def new_key() -> bytes:
    """32 random bytes for a campaign's blind index."""
    return secrets.token_bytes(32)


def blind_index(key: bytes, purpose: str, value: str) -> bytes:
    """A 32-byte stand-in for `value` that is equal for equal values, and only under the same key and purpose."""
    return hmac.digest(key, f"{purpose}\0{value}".encode(), "sha256")


def link_token(secret_key: str, purpose: str, number: int, salt: bytes) -> str:
    """An unguessable link part for row `number`; nothing but the row's salt need be stored to check it."""
    head = number.to_bytes(8, "big")
    return base64.urlsafe_b64encode(head + _tag(secret_key, purpose, head + salt)).rstrip(b"=").decode()


def token_number(token: str) -> int | None:
    """The row that a token speaks of, not yet believed; None if it is no token at all."""
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    return int.from_bytes(raw[:8], "big", signed=False) & (2**63 - 1) if len(raw) == 8 + _TAG else None


def is_link_token(token: str, secret_key: str, purpose: str, number: int, salt: bytes) -> bool:
    """Whether `token` is the one that `link_token` makes for this row; compared in constant time."""
    expected = link_token(secret_key, purpose, number, salt)
    return hmac.compare_digest(token.encode("utf-8", "replace"), expected.encode())


def short_code(secret_key: str, number: int, salt: bytes) -> str:
    """Six digits for row `number`, to be typed at a stall. Guessing must be limited by the caller."""
    tag = _tag(secret_key, "code", number.to_bytes(8, "big") + salt)
    return f"{int.from_bytes(tag[:8], 'big') % 1_000_000:06d}"


def _tag(secret_key: str, purpose: str, message: bytes) -> bytes:
    key = hashlib.sha256(f"petitions {purpose}\0{secret_key}".encode()).digest()
    return hmac.digest(key, message, "sha256")[:_TAG]
