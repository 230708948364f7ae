"""A server of our own, and an outside model that talks to it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from markbook.graders.outside import Inquiry, Outside, open_suggester
from markbook.model import Criterion, Rubric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "markbook_chat_server"
if NAME not in sys.modules:
    path = Path(__file__).resolve().parents[2] / "chat_server.py"
    spec = importlib.util.spec_from_file_location(NAME, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)
chat_server: Any = sys.modules[NAME]


@pytest.fixture
def server() -> Iterator[Any]:
    yield from chat_server.serve()


@pytest.fixture
def completion() -> Callable[..., dict[str, Any]]:
    """The function that makes the body of a chat completion."""
    function: Callable[..., dict[str, Any]] = chat_server.completion
    return function


@pytest.fixture
def outside(server: Any, tmp_path: Path) -> Iterator[Callable[..., Outside]]:
    """Make an outside model with further options; pauses are a hundredth of a second."""
    made: list[Outside] = []

    def make(environment: dict[str, str] | None = None, **options: Any) -> Outside:
        given = {"url": server.url, "model": "m-1", "parallel": 1, "timeout": 20.0, **options}
        suggester, limits = open_suggester("openai-compatible", given, environment or {})
        made.append(Outside(suggester, tmp_path, limits, pause=0.01))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def inquiry() -> Inquiry:
    rubric = Rubric(
        question="signature",
        version="0123456789ab",
        model_answer="A changed token no longer fits its signature.",
        criteria=(
            Criterion("detects-changes", 2, "Changes are noticed.", ("nobody tampered with it",)),
            Criterion("thinks-it-encrypts", -1, "Takes it for encryption."),
        ),
    )
    return Inquiry(rubric, "What is the signature for?", ("detects-changes", "thinks-it-encrypts"))
