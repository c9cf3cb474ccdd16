"""A campaign as a folder of files: read it, find its faults, write it again without loss. No database."""
