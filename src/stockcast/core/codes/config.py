"""Codes SC-C…: config."""

from stockcast.core.codes.entry import Code

CODES: tuple[Code, ...] = ()
