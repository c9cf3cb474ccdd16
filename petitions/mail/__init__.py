"""E-mails: composing from templates/mail, and the transports."""
