"""Forms: what people type is validated here before a service gets it."""
