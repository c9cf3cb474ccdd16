"""What can go wrong in the domain, as exceptions. Words for people and HTTP statuses are in web/errors.py only."""


class DomainError(Exception):
    """A refusal that states a fact. Carries ids and codes, never anything personal."""

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
    """The campaign takes no signatures now."""

    code = "campaign_closed"


class LinkUnknown(DomainError):
    """The link was never made by us, or what it stood for is erased."""

    code = "link_unknown"


class LinkExpired(DomainError):
    """The link was ours, and its time is over."""

    code = "link_expired"


class CodeWrong(DomainError):
    """Address and code do not belong together. Says nothing about either."""

    code = "code_wrong"


class TooManyTries(DomainError):
    """A limit is reached; `seconds` says when to come back."""

    code = "too_many_tries"


class ProofNeeded(DomainError):
    """One more entry must bring a pass, a proof of work that takes `price` times as long as usual, or have waited.

    `seconds`: it has waited, as many others of its network; in so many seconds it is its turn.
    """

    code = "proof_needed"

    def __init__(self, price: int = 1, seconds: int = 0) -> None:
        super().__init__(price=price, seconds=seconds)
        self.price = price
        self.seconds = seconds


class Busy(DomainError):
    """The server takes no more writes for the moment. Nothing was recorded."""

    code = "busy"


class NoRecipientKey(DomainError):
    """There is no public key to seal personal data to, so nothing may be taken."""

    code = "no_recipient_key"


class KeyMissing(DomainError):
    """A key that this database was made with is not at hand; `key` says which."""

    code = "key_missing"


class MailboxFull(DomainError):
    """As many people as the campaign allows have confirmed with this address already."""

    code = "mailbox_full"


class DatabaseDamaged(DomainError):
    """The database file cannot be read any more: a backup has to be restored."""

    code = "database_damaged"


class LoginRefused(DomainError):
    """Name and password do not belong together. Says nothing about either."""

    code = "login_refused"


class ContentFaulty(DomainError):
    """A campaign folder has faults; `faults` lists each with its file, key and language."""

    code = "content_faulty"

    def __init__(self, faults: list[str]) -> None:
        super().__init__(count=len(faults))
        self.faults = faults


class SettingsFaulty(DomainError):
    """The environment asks for something that cannot be; `faults` lists everything at once."""

    code = "settings_faulty"

    def __init__(self, faults: list[str]) -> None:
        super().__init__(count=len(faults))
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(["The settings have faults:", *(f"  - {fault}" for fault in self.faults)])
