"""The tiny course as fixtures."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


@pytest.fixture
def server() -> Iterator[Any]:
    """A server of chat completions, of tests/chat_server.py."""
    if "markbook_chat_server" not in sys.modules:
        path = Path(__file__).parent.parent / "chat_server.py"
        spec = importlib.util.spec_from_file_location("markbook_chat_server", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules["markbook_chat_server"] = module
        spec.loader.exec_module(module)
    yield from sys.modules["markbook_chat_server"].serve()
