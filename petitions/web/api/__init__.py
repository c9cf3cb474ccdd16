"""The API for other programs: counts, bounces, health check."""
