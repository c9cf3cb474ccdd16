"""Answers for other programs: counts, bounces, health."""
