"""Codes SC-P…: plan."""

from stockcast.core.codes.entry import Code

CODES: tuple[Code, ...] = ()
