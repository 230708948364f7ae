"""What the owner of a forked kernel hears of it, over a line of our own."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest

from markbook.kernels.forkprocess import ForkedProcess

if TYPE_CHECKING:
    from collections.abc import Iterator


class Server:
    """Stands for a fork server that is gone."""

    def end_remains(self) -> None:
        pass


@pytest.fixture
def line() -> Iterator[tuple[ForkedProcess, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server: Any = Server()
    process = ForkedProcess(server, 1, ours)
    yield process, theirs
    process.close()
    theirs.close()


def test_news_that_came_before_anybody_waited_are_not_waited_for(
    line: tuple[ForkedProcess, socket.socket],
) -> None:
    process, theirs = line
    theirs.send(b'{"ready": true}')
    assert asyncio.run(process.news(60))
    assert process.ready
    assert process.code is None


def test_no_news_are_said_to_be_none_after_the_time(
    line: tuple[ForkedProcess, socket.socket],
) -> None:
    process, _ = line
    assert not asyncio.run(process.news(0.01))
    assert not process.ready


def test_each_message_is_news_once(line: tuple[ForkedProcess, socket.socket]) -> None:
    process, theirs = line
    theirs.send(b'{"ready": true}')
    assert asyncio.run(process.news(60))
    theirs.send(b'{"exit": 3}')
    assert asyncio.run(process.news(60))
    assert process.poll() == 3


def test_a_line_that_ends_without_a_word_is_a_kernel_lost_and_killed(
    line: tuple[ForkedProcess, socket.socket],
) -> None:
    process, theirs = line
    theirs.close()
    assert asyncio.run(process.news(60))
    assert process.lost
    assert process.poll() == -9
