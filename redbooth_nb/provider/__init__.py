"""Redbooth, as the kit reaches it: the real service, a stand-in, or recordings."""
