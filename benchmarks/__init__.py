"""Measured subjects: `make bench` runs them, `make bench-smoke` shows in seconds that they still run."""
