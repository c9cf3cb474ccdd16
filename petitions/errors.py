"""Domain errors. Their public words and HTTP statuses are in web/errors.py only."""


class DomainError(Exception):
    """A refusal that states a fact. Contains ids and codes, never personal data."""

    code = "refused"

    def __init__(self, **details: object) -> None:
        super().__init__(self.code, details)
        self.details = details

    def __str__(self) -> str:
        facts = " ".join(f"{key}={value}" for key, value in self.details.items())
        return f"{self.code} {facts}".strip()


class NotFound(DomainError):
    """There is no such campaign, case, story or account."""

    code = "not_found"


class CampaignClosed(DomainError):
    """The campaign accepts no signatures now."""

    code = "campaign_closed"


class LinkUnknown(DomainError):
    """The link is forged, or its signer was erased."""

    code = "link_unknown"


class LinkExpired(DomainError):
    """The link is too old."""

    code = "link_expired"


class CodeWrong(DomainError):
    """Address and code do not match. Does not show which of them is wrong."""

    code = "code_wrong"


class TooManyTries(DomainError):
    """A rate limit is reached; `seconds` until the next attempt makes sense."""

    code = "too_many_tries"


class ProofNeeded(DomainError):
    """The entry needs a group code, a waiting time, or a proof of work of `price` times the usual difficulty.

    `seconds`: it waited, like many others of its network; its turn comes after so many seconds.
    """

    code = "proof_needed"

    def __init__(self, price: int = 1, seconds: int = 0) -> None:
        super().__init__(price=price, seconds=seconds)
        self.price = price
        self.seconds = seconds


class ServerUnknown(DomainError):
    """What was typed is not the name of a Mastodon server."""

    code = "server_unknown"


class KitOrderFaulty(DomainError):
    """A kit was ordered with an unknown piece, case, language or size; `key` says which."""

    code = "kit_order_faulty"


class Busy(DomainError):
    """The server accepts no more writes at the moment. Nothing was recorded."""

    code = "busy"


class NoRecipientKey(DomainError):
    """There is no recipient key to encrypt personal data to, so no data may be accepted."""

    code = "no_recipient_key"


class CampaignExists(DomainError):
    """There is a campaign with this slug already."""

    code = "campaign_exists"


class TextChanged(DomainError):
    """Somebody else changed this text while it was being edited; nothing was stored."""

    code = "text_changed"


class RotationFaulty(DomainError):
    """The master key cannot be rotated now; `reason` says why."""

    code = "rotation_faulty"


class KeyMissing(DomainError):
    """A key that this database was created with is missing; `key` says which."""

    code = "key_missing"


class MailboxFull(DomainError):
    """As many people as the campaign allows have already confirmed with this mailbox."""

    code = "mailbox_full"


class DatabaseDamaged(DomainError):
    """The database file cannot be read: a backup has to be restored."""

    code = "database_damaged"


class LoginRefused(DomainError):
    """Name and password do not match. Does not show which of them is wrong."""

    code = "login_refused"


class WordsWrong(DomainError):
    """These are not the words of an open key test."""

    code = "words_wrong"


class KeyFaulty(DomainError):
    """This is not an age public key."""

    code = "key_faulty"


class LastKey(DomainError):
    """Without this key nothing could be encrypted any more."""

    code = "last_key"


class CollectorFaulty(DomainError):
    """A collector needs a name, a number of signers from 1 to 2000, and an end after its beginning."""

    code = "collector_faulty"


class ReasonMissing(DomainError):
    """No invalidation without a reason that others can read later."""

    code = "reason_missing"


class BackupFaulty(DomainError):
    """A backup could not be made, or cannot be restored; `reason` says why."""

    code = "backup_faulty"

    def __str__(self) -> str:
        return str(self.details["reason"])


class CampaignRunning(DomainError):
    """The campaign still accepts signatures, so a delivery now would not be complete."""

    code = "campaign_running"


class NameUnknown(DomainError):
    """No signer of that name used this address."""

    code = "name_unknown"


class NameTaken(DomainError):
    """A signer of that name already uses this mailbox."""

    code = "name_taken"


class LoginBusy(Busy):
    """Too many login attempts are waiting; this one was not checked."""

    code = "login_busy"


class PasswordCommon(DomainError):
    """The password is one of the first that anybody would guess."""

    code = "password_common"


class NameMissing(DomainError):
    """An account needs a name, of at most `longest` characters."""

    code = "name_missing"


class RightMissing(DomainError):
    """The role of this account does not have the `right` that the page needs."""

    code = "right_missing"


class CountFaulty(DomainError):
    """The number of an entry cannot be right: zero, too large, or the sum would be negative."""

    code = "count_faulty"


class CountDiffers(DomainError):
    """The second person counted another number."""

    code = "count_differs"


class SecondPersonNeeded(DomainError):
    """Who reported a number cannot verify it."""

    code = "second_person_needed"


class OtherOwnerNeeded(DomainError):
    """One owner alone may not do this while there is another one."""

    code = "other_owner_needed"


class AccountUnsettled(OtherOwnerNeeded):
    """Somebody else made or changed this account less than a week ago, so it cannot agree as another owner."""

    code = "account_unsettled"


class LastOwner(DomainError):
    """There must be an owner who can log in."""

    code = "last_owner"


class PasswordTooShort(DomainError):
    """The password has fewer than 12 characters."""

    code = "password_too_short"


class PasswordWrong(LoginRefused):
    """The password that a logged-in member of staff repeated is wrong."""

    code = "password_wrong"


class AccountExists(DomainError):
    """An account of that name exists already."""

    code = "account_exists"


class ContentFaulty(DomainError):
    """A campaign folder has faults; `faults` lists each with its file, key and language."""

    code = "content_faulty"

    def __init__(self, faults: list[str]) -> None:
        super().__init__(count=len(faults))
        self.faults = faults


class SettingsFaulty(DomainError):
    """The environment has invalid settings; `faults` lists all of them."""

    code = "settings_faulty"

    def __init__(self, faults: list[str]) -> None:
        super().__init__(count=len(faults))
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(["The settings have faults:", *(f"  - {fault}" for fault in self.faults)])
