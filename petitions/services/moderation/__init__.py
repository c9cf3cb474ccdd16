"""Holds and invalidations."""
