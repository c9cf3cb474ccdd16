"""The form in a frame on other sites, and what these sites need for it."""
