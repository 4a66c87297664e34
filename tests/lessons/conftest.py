"""Fixtures for the lessons."""

from practice import app, callback_of, decide, live, machine, sandbox, unattended

__all__ = ["app", "callback_of", "decide", "live", "machine", "sandbox", "unattended"]
