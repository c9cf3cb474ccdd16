"""Reads: what the pages show, as frozen dataclasses. Nothing here adds, flushes or commits."""
