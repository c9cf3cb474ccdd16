"""Signatures and their states, counting, and places in a mailbox."""
