"""A Jupyter tutorial kit that teaches Redbooth's OAuth2."""
