"""Commands below `flask`: they call services and print. No SQL, no rules and no cryptography here."""
