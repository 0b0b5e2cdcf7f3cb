"""Codes SC-D…: data."""

from stockcast.core.codes.entry import Code

CODES: tuple[Code, ...] = ()
