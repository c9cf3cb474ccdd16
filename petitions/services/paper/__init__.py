"""Tallies: signatures and letters on paper."""
