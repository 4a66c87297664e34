"""Fixtures for the widgets."""

from practice import app, callback_of, decide, machine, unattended

__all__ = ["app", "callback_of", "decide", "machine", "unattended"]
