"""Admission, signing, confirming, links, and the signer's own page."""
