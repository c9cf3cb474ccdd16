"""The form in a frame on other sites, and the files that these sites need."""
