"""Pure rules: states, identity (names and mailboxes), encryption. No database, no request, no clock."""
