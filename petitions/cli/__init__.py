"""Commands for set-up day and for emergencies. They call services and print; no rule lives here."""
