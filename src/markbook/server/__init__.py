"""The marking page: an ordinary Jupyter server extension.

The only door to jupyter_server and tornado. It shows and asks; what a decision is, and how it is
stored, is the business of ``markbook.marking``.
"""

from __future__ import annotations

from typing import Any

__all__: list[str] = []


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell the Jupyter server what to load (its own protocol)."""
    from markbook.server.app import MarkbookApp

    return [{"module": "markbook.server.app", "app": MarkbookApp}]
