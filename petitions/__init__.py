"""Petitions: a petition server that a small section hosts by itself. See docs/architecture.md."""
