"""Consent, retention, erasure, exports, and scrubbing of deleted bytes."""
