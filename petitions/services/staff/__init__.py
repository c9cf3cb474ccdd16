"""Staff accounts, logins and sessions."""
