"""The secret links in a signer's mails: computed, never stored; each opens one purpose only."""

from petitions import sealing
from petitions.errors import LinkUnknown
from petitions.queries import signer as signer_query
from petitions.queries.signer import SignerFacts
from petitions.services.keyring import keyring


def token_for(facts: SignerFacts, purpose: str) -> str:
    """The secret part of this signer's link for `purpose`."""
    return sealing.link_token(keyring().secret_key, purpose, facts.id, facts.salt)


def signer_behind(token: str, purpose: str) -> SignerFacts:
    """Whose link this is; changes nothing. Raises LinkUnknown, also once the signer is erased."""
    number = sealing.token_number(token)
    if number is None:
        raise LinkUnknown()
    facts = signer_query.facts(number)
    if not sealing.is_link_token(token, keyring().secret_key, purpose, number, facts.salt):
        raise LinkUnknown()
    return facts
