"""What people type: checked before it reaches a service."""
