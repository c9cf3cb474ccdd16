"""HTTP: forms, pages, parts. No SQL, no rules, no crypto."""
