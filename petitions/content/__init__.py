"""A campaign as a folder of files: read, check, and write without loss. No database."""
