"""Rate limits, the mail quota, proof of work and group codes."""
