"""Mail: composing from templates/mail, and handing over to a transport."""
