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
from collections.abc import Callable, Sequence

from pyrage import DecryptError, IdentityError, RecipientError, decrypt, encrypt, passphrase, x25519

PAD_TO = 1024  # bytes: names and addresses fit into one block in every script, so the length of a payload tells nothing
WORK = range(18, 21)  # scrypt work of a key file, as a power of two: what age itself takes, to what a browser can do
LINK_ID = 16  # bytes
_TAG = 16  # bytes of a link's HMAC: 128 bits
_AGE_FILE = (b"age-encryption.org/", b"-----BEGIN AGE")


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
    except IdentityError as exc:
        raise ValueError("not an age identity (AGE-SECRET-KEY-1…)") from exc


def new_key_file(label: str, words: str) -> tuple[str, str]:
    """A fresh key pair as (public key, text of a key file); behind the passphrase `words`, unless they are empty.

    The file is what `age-keygen | age -p -a` writes, so `age -d -i` takes it too.
    """
    private, public = new_identity()
    text = f"# Private key of {label}. Keep it off the server.\n# public key: {public}\n{private}\n"
    return public, protect(text, words) if words else text


def protect(text: str, words: str) -> str:
    """The text behind a passphrase, as an age file in letters."""
    for _ in range(5):  # the work is guessed from a moment's measurement, so on a busy machine a guess may be far off
        raw = bytes(passphrase.encrypt(text.encode(), words))
        if int(raw.split(b"\n")[1].split()[-1]) in WORK:
            break
    return armored(raw)


def armored(sealed: bytes) -> str:
    """An age file in letters, to be copied and pasted; `age -d` takes it as it is."""
    letters = base64.b64encode(sealed).decode()
    lines = (letters[start : start + 64] for start in range(0, len(letters), 64))
    return "\n".join(["-----BEGIN AGE ENCRYPTED FILE-----", *lines, "-----END AGE ENCRYPTED FILE-----", ""])


def identities_in(key_file: bytes, ask: Callable[[], str]) -> list[str]:
    """The private keys in a key file; `ask` gives its passphrase, if it has one. Raises CannotOpen if it has none."""
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
    except (DecryptError, IdentityError, ValueError) as exc:
        raise CannotOpen from exc


def wrap(secret: bytes, master_key: str) -> bytes:
    """A campaign's key, locked with the server's master key (an age identity)."""
    return bytes(encrypt(secret, [x25519.Recipient.from_str(public_of(master_key))]))


def unwrap(wrapped: bytes, master_key: str) -> bytes:
    """The campaign's key again; raises CannotOpen if the master key is another one."""
    try:
        return bytes(decrypt(wrapped, [x25519.Identity.from_str(master_key)]))
    except (DecryptError, IdentityError) as exc:
        raise CannotOpen from exc


def new_key() -> bytes:
    """32 random bytes for a campaign's blind index."""
    return secrets.token_bytes(32)


def blind_index(key: bytes, purpose: str, value: str) -> bytes:
    """A 32-byte stand-in for `value` that is equal for equal values, and only under the same key and purpose."""
    return hmac.digest(key, f"{purpose}\0{value}".encode(), "sha256")


def blind_name(key: bytes, email_key: bytes, name: str) -> bytes:
    """The blind index of a name, bound to its mailbox: equal names of two mailboxes are not equal here."""
    return hmac.digest(email_key, blind_index(key, "name", name), "sha256")


def bound_to(campaign: str, link_id: bytes) -> dict[str, str]:
    """Fields for a sealed payload that say whose it is, so that nobody can move it to another row."""
    return {"campaign": campaign, "id": base64.b64encode(link_id).decode()}


def link_token(secret_key: str, purpose: str, link_id: bytes) -> str:
    """The secret part of a link for `purpose`: the signer's random name and an HMAC over it, in base64url."""
    return base64.urlsafe_b64encode(link_id + _tag(secret_key, purpose, link_id)).rstrip(b"=").decode()


def token_name(token: str) -> bytes | None:
    """Whom a token names, not yet believed: a link_id, or the row number of a link older than version 0.1.0 (8 bytes).

    None if it is no token at all.
    """
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    return raw[:-_TAG] if len(raw) in (LINK_ID + _TAG, 8 + _TAG) else None


def is_link_token(token: str, secret_key: str, purpose: str, link_id: bytes) -> bool:
    """Whether `token` is the one that `link_token` makes for this signer; compared in constant time."""
    name = token_name(token)
    message = link_id if name == link_id else (name or b"") + link_id
    expected = base64.urlsafe_b64encode((name or b"") + _tag(secret_key, purpose, message)).rstrip(b"=")
    return hmac.compare_digest(token.encode("utf-8", "replace"), expected)


def short_code(secret_key: str, link_id: bytes) -> str:
    """Six digits for a signer, to be typed at a stall. Guessing must be limited by the caller."""
    tag = _tag(secret_key, "code", link_id)
    return f"{int.from_bytes(tag[:8], 'big') % 1_000_000:06d}"


def check_value(secret: str) -> str:
    """What tells later whether a key is still the same one, without telling the key."""
    return _tag(secret, "check", b"").hex()


def _tag(secret_key: str, purpose: str, message: bytes) -> bytes:
    key = hashlib.sha256(f"petitions {purpose}\0{secret_key}".encode()).digest()
    return hmac.digest(key, message, "sha256")[:_TAG]
