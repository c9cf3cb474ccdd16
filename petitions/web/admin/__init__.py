"""Pages for staff; all require a login."""
