"""The key ring, the recipient keys of the section, and the tests that a private key opens what is sealed."""
