"""Reads, as frozen dataclasses: what pages and commands show. Nothing here writes."""
