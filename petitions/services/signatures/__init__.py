"""Signatures: adding them, changing their states, counting, and the places in a mailbox."""
