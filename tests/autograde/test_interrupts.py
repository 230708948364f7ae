from __future__ import annotations

import signal
import threading

from markbook.autograde.interrupts import finishing


def run(*steps):
    """Take steps of which some are Ctrl-C; return those done, and what was raised."""
    done = []
    try:
        with finishing():
            for step in steps:
                if callable(step):
                    step()
                else:
                    done.append(step)
    except (KeyboardInterrupt, ZeroDivisionError) as error:
        return done, type(error)
    return done, None


def ctrl_c():
    signal.raise_signal(signal.SIGINT)


def test_ctrl_c_waits_until_the_block_is_done():
    assert run("a", ctrl_c, "b") == (["a", "b"], KeyboardInterrupt)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_does_not_wait():
    assert run("a", ctrl_c, ctrl_c, "b") == (["a"], KeyboardInterrupt)


def test_an_error_of_the_block_is_what_is_raised():
    assert run(ctrl_c, lambda: divmod(1, 0)) == ([], ZeroDivisionError)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_ctrl_c_nothing_is_raised():
    assert run("a", "b") == (["a", "b"], None)


def test_somebody_elses_handler_and_other_threads_are_left_alone():
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append("theirs"))
    try:
        with finishing():
            signal.raise_signal(signal.SIGINT)
            assert heard == ["theirs"]
    finally:
        signal.signal(signal.SIGINT, before)

    def elsewhere():
        with finishing():
            heard.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert heard[1:] == [before]
