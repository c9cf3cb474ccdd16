"""The second factor: the changing code of an app (TOTP, RFC 6238), or one of ten recovery codes, each valid once."""

import hmac
import re
import secrets

import pyotp

from petitions import clock
from petitions.domain import sealing
from petitions.errors import CodeWrong
from petitions.models import Account
from petitions.services.keys.keyring import keyring

PERIOD = 30  # seconds
LENIENCY = (0, -1, 1)  # periods: clocks of phones differ
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike


def new_secret() -> str:
    """A random secret for an app, in base32."""
    return pyotp.random_base32()


def is_secret(text: str) -> bool:
    """Whether this is a secret as `new_secret` makes it."""
    return bool(re.fullmatch(r"[A-Z2-7]{32}", text))


def address(secret: str, name: str, site: str) -> str:
    """What the QR code for the app says (otpauth://…)."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=site))


def begin(account: Account, secret: str, code: str) -> list[str]:
    """Give the account this factor, in the caller's transaction; returns the recovery codes.

    Raises CodeWrong if `code` is not what an app with this secret shows now.
    """
    step = _step_of(secret, code) if is_secret(secret) else 0
    if not step:
        raise CodeWrong()
    codes = ["-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in "ab") for _ in range(RECOVERY_CODES)]
    account.factor = sealing.seal({"secret": secret}, [keyring().master_public])
    account.factor_step = step
    account.recovery = [_hashed(each) for each in codes]
    return codes


def end(account: Account) -> None:
    """Take the factor away, in the caller's transaction."""
    account.factor, account.factor_step, account.recovery = None, 0, []


def accepts(account: Account, code: str) -> bool:
    """Whether `code` is the account's second factor now; it is then used up, in the caller's transaction.

    True for an account without a second factor.
    """
    if account.factor is None:
        return True
    secret = sealing.unseal(account.factor, keyring().master_keys)["secret"]
    step = _step_of(secret, code, after=account.factor_step)
    if step:
        account.factor_step = step
        return True
    hashed = _hashed(code)
    left = [each for each in account.recovery if not hmac.compare_digest(each, hashed)]
    is_recovery = len(left) < len(account.recovery)
    account.recovery = left
    return is_recovery


def _step_of(secret: str, code: str, after: int = 0) -> int:
    """The period in which the app shows this code, if it is a present one later than `after`; else 0."""
    typed = "".join(code.split()).encode("utf-8", "replace")
    now, totp = clock.now(), pyotp.TOTP(secret, interval=PERIOD)
    for offset in LENIENCY:
        step = totp.timecode(now) + offset
        if hmac.compare_digest(totp.generate_otp(step).encode(), typed) and step > after:
            return step
    return 0


def _hashed(code: str) -> str:
    plain = "".join(char for char in code.casefold() if char.isalnum())
    return sealing.blind_index(keyring().secret_key.encode(), "recovery", plain).hex()
