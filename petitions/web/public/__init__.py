"""Pages for visitors and signers."""
