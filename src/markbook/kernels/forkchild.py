"""A forked child becomes an IPython kernel, as ``ipykernel_launcher`` would have made it.

What can be made before the fork is made there (``make_shell``): IPython's shell with its
magics and completer is most of a kernel's start. Sockets and threads are the child's own.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import json
import os
import random
import resource
import socket
import sys
import tempfile
import time
import traceback
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import ipykernel.ipkernel
import ipykernel_launcher  # type: ignore[import-untyped]
from ipykernel.compiler import XCachingCompiler
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.profiledir import ProfileDir
from jupyter_client.session import new_id
from traitlets import observe
from traitlets.config import Config

from markbook.kernels import forktree
from markbook.kernels.examiner.process import examine_for
from markbook.kernels.examiner.student import StudentSide
from markbook.kernels.sandbox.enter import enter
from markbook.kernels.sandbox.sockets import adopt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from markbook.kernels.forkserver import Birth

__all__ = ["become_kernel", "choose_backend", "make_shell", "note_modules", "take_over_environment"]

# Seconds between turns of threads while a kernel starts its six: with Python's own 5 ms the
# main thread waits for each to begin, 5 to 8 ms in all.
_BRISK = 0.0002
_INLINE = "module://matplotlib_inline.backend_inline"
# What a kernel imports when it starts (debugpy, by its debugger, is 80 ms), and what IPython
# does when it is first asked for a cell, magics, help, or a shell command.
_LATE = (
    "faulthandler",
    "ipykernel.debugger",
    "tornado.platform.asyncio",
    "IPython.core.logger",
    "IPython.core.magics.execution",
    "IPython.core.magics.namespace",
    "pexpect",
)

_set_by_imports: dict[str, str] = {}  # in the environment, by preloaded modules
_module_names: set[str] = set()
_module_files: list[str] = []


class _NoProfile(ProfileDir):
    """A profile folder that is only a place: nothing is read from it or made in it."""

    @observe("location")
    def _location_changed(self, change: Any) -> None:
        self._location_isset = True


def make_shell() -> None:
    """Make IPython's shell without a history and without a person's profile. Before the fork."""
    configuration = Config()
    configuration.HistoryManager.enabled = False
    # Gone at once: each kernel gets its own.
    with tempfile.TemporaryDirectory(prefix="mbk-") as folder:
        shell: Any = ZMQInteractiveShell.instance(
            config=configuration,
            ipython_dir=folder,
            profile_dir=_NoProfile(location=folder),
            compiler_class=XCachingCompiler,
        )
    app: Any = IPKernelApp.instance()
    app.init_pdb()
    app.log.debug("The shell is there.")  # the first use of a log sets it up
    with contextlib.suppress(Exception):  # as in IPython: no reason to have no kernels
        shell.extension_manager.load_extension("storemagic")
    with contextlib.suppress(Exception):  # a matter of milliseconds only
        _rehearse(shell)


def note_modules() -> None:
    """Note which modules are there, and give the session its defaults. After all imports.

    A child that looked at each module itself would have to copy the pages that they lie on: 700
    of the 3,700 pages that a kernel of two cells copied.
    """
    _module_names.update(sys.modules)
    files = (getattr(module, "__file__", None) for module in sys.modules.copy().values())
    _module_files.extend(file for file in files if file)
    session: Any = IPKernelApp.instance().session
    session.key = b"each kernel has a key of its own"


def take_over_environment(before: Mapping[str, str]) -> None:
    """Remember what imports set in the environment, for kernels: their own code would have."""
    _set_by_imports.update((k, v) for k, v in os.environ.items() if before.get(k) != v)


def _rehearse(shell: Any) -> None:
    """Do once what is slow the first time, and leaves nothing behind but code that is loaded.

    The first error of a notebook cost 42 ms of imports, which is more than its kernel.
    """
    for name in _LATE:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    shell.transform_cell("pass")
    shell.display_formatter.format(0)
    try:
        int("an error")
    except ValueError:
        copy.copy(shell.InteractiveTB).structured_traceback(*sys.exc_info())


def _start_kernel(app: Any, order: dict[str, Any], say_ready: Callable[[], None]) -> None:
    """Make sockets, threads and the kernel: ``IPKernelApp.initialize`` without its files."""
    connection = order["connection"]
    app.init_crash_handler()
    app.load_connection_info(connection)
    app.connection_file = order["connection_file"]
    app.init_iopub = partial(_init_iopub, app.init_iopub)
    app.init_sockets()
    app.init_heartbeat()
    app._ports = {
        name: connection[f"{name}_port"] for name in ("shell", "iopub", "stdin", "hb", "control")
    }
    app.init_io()
    app.init_signal()
    _init_kernel(app)
    app.init_path()
    app.init_shell()
    app.init_gui_pylab()
    app.shell.kernel = app.kernel
    app.shell.user_ns_hidden.update(app.shell.user_ns)
    app.shell._sys_modules_keys = _module_names
    choose_backend(os.environ["MPLBACKEND"])
    say_ready()
    sys.stdout.flush()
    sys.stderr.flush()


class _NoModules:
    """``sys`` to a module that would look at all modules there are."""

    modules: ClassVar[dict[str, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


def _init_kernel(app: Any) -> None:
    """Make the kernel, without its look at every module's file, which the debugger wants."""
    module: Any = ipykernel.ipkernel
    module.sys = _NoModules()
    try:
        app.init_kernel()
        # 0.5 ms for each cell, so that clients which do not wait for the status idle see all of its
        # output; the streams were flushed before, and outputs and idle come by one socket.
        app.kernel._execute_sleep = 0.0
    finally:
        module.sys = sys
    for holder in (app.kernel, getattr(app.kernel, "debugger", None)):
        for name in ("_kernel_modules", "kernel_modules"):
            if hasattr(holder, name):
                setattr(holder, name, _module_files)


def _init_iopub(init: Callable[[Any], None], context: Any) -> None:
    """Let IOPub keep what a slow client has not taken yet.

    With libzmq's 1000 messages the rest is dropped: of 5000 flushed prints, 1500 were lost.
    """
    context.sndhwm = 0  # of the sockets that are made from here on
    init(context)
    del context.sndhwm


def become_kernel(birth: Birth) -> None:
    """Be a kernel until it ends. Says on the line that the sockets are there, or why not."""
    line = socket.socket(fileno=birth.line)
    control = birth.more.pop() if birth.order.get("control") else None
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_BRISK)
    try:
        _settle(birth)
        if birth.order.get("become") == "examiner" and control is not None:
            _be_examiner(birth.order, line, control)
        app: Any = IPKernelApp.instance()
        _hand_over(app, birth.order)
        if "box" in birth.order:
            adopt(birth.order["connection"], birth.more[birth.order["box"]["files"] :])
        _start_kernel(app, birth.order, partial(_ready, app, line, control))
        _limit_memory(birth.order["memory"])
    except BaseException as error:  # noqa: BLE001  (whatever it was, the owner waits to hear of it)
        traceback.print_exc(file=sys.__stderr__)
        _say(line, {"failed": f"{type(error).__name__}: {error}"[:2000]})
        os._exit(1)
    del birth
    sys.setswitchinterval(usual)
    app.start()


def _be_examiner(order: dict[str, Any], line: socket.socket, control: int) -> None:
    """Run test cells, without sockets of Jupyter's, until the owner is gone."""
    _limit_memory(order["memory"])
    _say(line, {"ready": True})
    with contextlib.suppress(BaseException):
        examine_for(socket.socket(fileno=control))
    os._exit(0)


def _ready(app: Any, line: socket.socket, control: int | None) -> None:
    if control is not None:
        StudentSide(control, app.shell).attend()
    _say(line, {"ready": True})


def _say(line: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # the owner is gone, and this process soon
        line.send(json.dumps(message).encode())
    line.close()


def _settle(birth: Birth) -> None:
    """Take on the identity of a process of its own: session, files, folder, environment, chance."""
    order = birth.order
    if "box" in order:
        enter(order["box"], birth.more[: order["box"]["files"]])
    os.setsid()
    forktree.die_with_parent(birth.parent)
    forktree.adopt_orphans()
    forktree.name("markbook-kernel")
    os.dup2(birth.stdout, 1)
    os.dup2(birth.stderr, 2)
    os.close(birth.stdout)
    os.close(birth.stderr)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.chdir(order["cwd"])  # noqa: TID251  (this process is the kernel)
    os.environ.clear()
    os.environ.update(_set_by_imports | order["environment"])
    os.environ.setdefault("IPYTHONDIR", order["folder"])
    name, _, value = order["mark"].partition("=")
    os.environ[name] = value
    time.tzset()
    tempfile.tempdir = None  # found anew, from this environment
    sys.path[:0] = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    sys.argv = [str(Path(ipykernel_launcher.__file__)), "-f", order["connection_file"]]
    sys.orig_argv = [sys.executable, *sys.argv]
    random.seed()
    numpy_random: Any = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def _hand_over(app: Any, order: dict[str, Any]) -> None:
    """Give the shell that was made before the fork to this kernel."""
    shell: Any = ZMQInteractiveShell.instance()
    app.session.pid = os.getpid()  # else it would not send: the session of another process
    app.session.session = new_id()
    app.profile_dir = shell.profile_dir
    shell.profile_dir.location = order["folder"]
    shell.ipython_dir = order["folder"]
    shell.init_environment()


def choose_backend(backend: str = _INLINE) -> None:
    """Give a preloaded matplotlib the backend that it would have read when imported by a cell.

    The first choice reads all installed packages' entry points (9 ms), so it is the server's.
    """
    matplotlib: Any = sys.modules.get("matplotlib")
    if matplotlib is not None and dict.get(matplotlib.rcParams, "backend") != backend:
        matplotlib.rcParams["backend"] = backend


def _limit_memory(extra: int | None) -> None:
    """Let the process map ``extra`` bytes more than the kernel, now ready, has mapped."""
    if extra is None:
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + extra
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
