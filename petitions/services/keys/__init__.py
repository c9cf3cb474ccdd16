"""The key ring, the section's recipient keys, and the proof that they open what they seal."""
