"""Pure rules: states, identity (names and mailboxes), sealing. No database, no request, no clock."""
