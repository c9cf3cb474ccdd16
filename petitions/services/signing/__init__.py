"""Signing: admission, the signing transaction, confirmation, links, and the signer's own page."""
