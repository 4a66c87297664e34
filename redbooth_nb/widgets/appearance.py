"""The layout and the styles that widgets share: each of their own would be another message to the page.

Widths and places are in view.css. A widget that hides itself needs a layout of its own.
"""

import ipywidgets as w

_shared: dict[str, w.Widget] = {}


def shared_layout() -> w.Layout:
    """Return the one layout."""
    return _one(w.Layout)


def shared_style(kind: type[w.Widget], **values: str) -> w.Widget:
    """Return the style with these values for widgets of this kind."""
    return _one(kind.class_traits()["style"].klass, **values)


def _one(kind: type[w.Widget], **values: str) -> w.Widget:
    key = f"{kind.__name__} {sorted(values.items())}"
    if key not in _shared or _shared[key].comm is None:  # not made yet, or closed with all widgets
        _shared[key] = kind(**values)
    return _shared[key]
