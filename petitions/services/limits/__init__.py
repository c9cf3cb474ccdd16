"""Rate limits, networks, the mail quota, proof of work, and group codes."""
