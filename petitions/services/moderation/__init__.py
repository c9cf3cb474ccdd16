"""Moderation: holds when confirmations are unusually many, and invalidation of signatures in bulk."""
