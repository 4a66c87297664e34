"""Fixtures for what went over the wire."""

from client.conftest import app, app_at_faulty, decide, machine, redirect_uri, settings, stored

__all__ = ["app", "app_at_faulty", "decide", "machine", "redirect_uri", "settings", "stored"]
