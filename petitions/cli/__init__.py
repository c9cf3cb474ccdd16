"""Commands below `flask`. They call services and print; no SQL, no rule and no cryptography here."""
