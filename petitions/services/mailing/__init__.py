"""The outbox, and suppression: mailboxes that get no e-mail."""
