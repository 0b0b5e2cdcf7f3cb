"""The Python door: the commands as functions, and their tables as frames."""
