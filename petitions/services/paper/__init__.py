"""Tallies: signatures and letters on paper, which count once a second person has counted the same."""
