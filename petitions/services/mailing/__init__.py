"""The outbox, and mailboxes that get no mail."""
