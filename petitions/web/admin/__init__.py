"""Pages for staff, all behind the login."""
