"""Backup, restore, and checks of the machine."""
