"""The key ring, the recipient keys, and tests that a private key decrypts what is encrypted here."""
