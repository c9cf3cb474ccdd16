"""Pure rules: states, names and mailboxes, sealing. No database, no request, no clock."""
