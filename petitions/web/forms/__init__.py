"""Forms: what people type is checked here before a service gets it."""
