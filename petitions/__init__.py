"""Petitions: a petition server that a small organisation can host itself. See docs/architecture.md."""
