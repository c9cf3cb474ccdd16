"""The secret links in a signer's e-mails: computed, never stored; each is valid for one purpose."""

from petitions.domain import sealing
from petitions.errors import LinkUnknown
from petitions.queries import signer as signer_query
from petitions.queries.signer import SignerFacts
from petitions.services.keys.keyring import keyring


def token_for(facts: SignerFacts, purpose: str) -> str:
    """The token of this signer's link for `purpose`."""
    return sealing.link_token(keyring().secret_key, purpose, facts.link_id)


def signer_behind(token: str, purpose: str) -> SignerFacts:
    """The signer of a link. Raises LinkUnknown for a forged link or an erased signer."""
    name = sealing.token_name(token)
    if name is None:
        raise LinkUnknown()
    if len(name) == sealing.LINK_ID:
        facts = signer_query.facts_behind(name)
    else:  # a link from before version 0.1.0, with a row number: valid until its signer is erased, as promised
        facts = signer_query.facts(int.from_bytes(name, "big"))
    if not sealing.is_link_token(token, keyring().secret_key, purpose, facts.link_id):
        raise LinkUnknown()
    return facts
