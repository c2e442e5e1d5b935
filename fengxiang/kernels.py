"""Kernels that start at once: one process loads the libraries, and every notebook gets a fork of it.

A kernel of its own for each notebook costs more than a second of imports each time, which is more than most notebooks
compute. Here one process, the nursery, imports what all of them need and then only forks. To Jupyter each kernel is a
small command that stands for it: the command tells the nursery which kernel is wanted and lives exactly as long as
the kernel does; ending the one ends the other. Where processes cannot be forked an ordinary kernel does the same,
more slowly.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

KERNEL_ARGUMENTS = ("--quiet", "--HistoryManager.enabled=False")
# What the notebooks import sooner or later.
PRELOADED = ("ipykernel.kernelapp", "ipykernel.ipkernel", "pandas", "pyarrow.parquet", "pyarrow.compute",
             "scipy.special", "scipy.sparse", "scipy.cluster.hierarchy", "networkx", "PIL.PngImagePlugin", "wordcloud",
             "matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf", "matplotlib.backends.backend_svg",
             "fengxiang.charts", "fengxiang.changes", "fengxiang.concordance", "fengxiang.diffusion",
             "fengxiang.discovery", "fengxiang.display", "fengxiang.findings", "fengxiang.gold", "fengxiang.ledgers",
             "fengxiang.measures", "fengxiang.quantities", "fengxiang.recount")
# Run by each small command: ask for the kernel, then wait until the connection ends. Interrupts are not for it: Jupyter
# sends one before it ends a kernel, and an end of its own is the end of the kernel.
_STAND_IN = ("import signal;signal.signal(signal.SIGINT,signal.SIG_IGN);"
             "import socket,sys;s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1]);"
             "s.sendall('\\0'.join(sys.argv[2:]).encode()+b'\\n');s.recv(1)")


class Nursery:
    """The process that kernels with these settings are forked from.

    It begins to load with the first kernel asked for, or earlier with `start`, so that it loads while other work
    goes on. A context manager: its end is the end of the process and of every kernel that is left.
    """

    def __init__(self, environment: Mapping[str, str]):
        self.environment = dict(environment)
        self._folder: tempfile.TemporaryDirectory | None = None
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> Nursery:
        return self

    def start(self) -> None:
        """Begin loading, unless it has begun."""
        if self._folder is not None or not (hasattr(os, "fork") and hasattr(socket, "AF_UNIX")):
            return
        self._folder = tempfile.TemporaryDirectory(prefix="fengxiang-", ignore_cleanup_errors=True)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(self._socket)
            listening.listen()
            # It inherits the listening socket, so that kernels can be asked for while it is still loading.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fengxiang.kernels", str(listening.fileno())], stdin=subprocess.PIPE,
                env=self.environment, pass_fds=(listening.fileno(),))

    @property
    def _socket(self) -> str:
        return os.path.join(self._folder.name, "nursery")

    def command(self, folder: str | Path, environment: Mapping[str, str]) -> list[str]:
        """The command of a kernel that works in `folder` with these settings added to the common ones, as a kernel
        spec has it."""
        self.start()
        if self._process is None:
            return [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", *KERNEL_ARGUMENTS]
        wanted = json.dumps({"folder": str(folder), "environment": dict(environment)})
        return [sys.executable, "-I", "-S", "-c", _STAND_IN, self._socket, "{connection_file}", wanted]

    def __exit__(self, *_) -> None:
        if self._process is not None:
            self._process.stdin.close()
            self._process.wait()
        if self._folder is not None:
            self._folder.cleanup()


def serve(listening: socket.socket, loaded=PRELOADED) -> None:
    """Load, then fork a kernel for each connection until standard input ends."""
    import importlib

    for name in loaded:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what is loaded is shared by all forks: no collection walks, and so copies, it
    kernels: dict[socket.socket, tuple[int, int]] = {}  # stand-in → (pipe that ends with the kernel, its process)
    with selectors.DefaultSelector() as events:
        events.register(listening, selectors.EVENT_READ)
        events.register(sys.stdin, selectors.EVENT_READ)

        def end(stand_in: socket.socket) -> None:
            pipe, process = kernels.pop(stand_in)
            events.unregister(pipe)
            events.unregister(stand_in)
            with suppress(ProcessLookupError):  # it has ended by itself
                os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            os.close(pipe)
            stand_in.close()

        while True:
            for key, _ in events.select():
                if key.fileobj is sys.stdin:
                    for stand_in in list(kernels):
                        end(stand_in)
                    return
                if key.fileobj is listening:
                    stand_in, _ = listening.accept()
                    request = stand_in.makefile("rb").readline()
                    pipe, write_end = os.pipe()
                    process = os.fork()
                    if not process:
                        os.close(pipe)
                        events.close()
                        listening.close()
                        for other in kernels:
                            other.close()
                        _become_kernel(request.decode())
                    os.close(write_end)
                    kernels[stand_in] = pipe, process
                    events.register(pipe, selectors.EVENT_READ, stand_in)
                    events.register(stand_in, selectors.EVENT_READ, stand_in)
                elif key.data in kernels:
                    end(key.data)


def _become_kernel(request: str) -> None:
    """Be an ordinary kernel in this process, and end with it."""
    status = 1
    try:
        connection_file, wanted = request.split("\0")
        wanted = json.loads(wanted)
        os.environ.update(wanted["environment"])
        os.chdir(wanted["folder"])
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        from ipykernel.kernelapp import IPKernelApp

        app = IPKernelApp.instance()
        app.initialize(["-f", connection_file, *KERNEL_ARGUMENTS])
        app.start()
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)  # what the parent has registered for its own end is not this process's to do


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as _listening:
        serve(_listening)
