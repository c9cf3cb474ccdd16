"""Helpers for people who work on this program; each is started by a target of the Makefile."""
