"""Fixtures for the widgets."""

from client.conftest import app_at_faulty, redirect_uri, settings, stored
from practice import app, callback_of, decide, machine, unattended

__all__ = [
    "app",
    "app_at_faulty",
    "callback_of",
    "decide",
    "machine",
    "redirect_uri",
    "settings",
    "stored",
    "unattended",
]
