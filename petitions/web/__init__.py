"""HTTP: routes, headers, sessions, page cache. No SQL, no rules and no cryptography here."""
