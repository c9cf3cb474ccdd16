"""Backup, replay of the ledger after a restore, and checks of the machine."""
