"""The pages for staff: nobody else gets past login."""
