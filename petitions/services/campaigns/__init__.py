"""A campaign's content, and the publishing of its counts."""
