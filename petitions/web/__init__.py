"""HTTP: routes, headers, sessions, page cache. No SQL, no rule and no cryptography here."""
