"""Holds on unusual numbers of confirmations, and invalidation of signatures in bulk."""
