"""A Jupyter tutorial kit that teaches Redbooth's OAuth2: register, authorize, exchange, refresh.

The names the notebooks use, listed in `__init__.pyi`. Each is imported when it is first asked for, so that a
script that only needs the client never loads a widget.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
