"""Features as arrays: grown with the boosting models."""
