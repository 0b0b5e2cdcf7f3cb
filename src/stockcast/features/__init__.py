"""What is computed of a history, a calendar and an item master for models to learn from."""
