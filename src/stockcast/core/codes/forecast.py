"""Codes SC-M…: forecast."""

from stockcast.core.codes.entry import Code

CODES: tuple[Code, ...] = ()
