"""A campaign as a folder of files: read, check, write without loss. No database."""
