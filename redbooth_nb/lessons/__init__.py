"""Helpers for the notebooks: the first cell, predictions, checks with hints, practice, and errors in plain words."""
