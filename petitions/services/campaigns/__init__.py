"""Import and export of campaign folders, and the publishing of counts."""
