"""Consent, erasure, retention and exports."""
