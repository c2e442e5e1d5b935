"""Kernels forked from one loaded process: they are ordinary kernels, and none outlives its stand-in or the nursery."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fengxiang import kernels
from fengxiang.kernels import Nursery

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")


@pytest.fixture(scope="module")
def nursery():
    with Nursery({**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}) as nursery:
        nursery.start()
        yield nursery


def started(nursery, tmp_path, **settings):
    """A stand-in for a kernel and a client of it."""
    from jupyter_client import BlockingKernelClient
    from jupyter_client.connect import write_connection_file

    path, _ = write_connection_file(str(tmp_path / "kernel.json"), ip=str(tmp_path / "k"), transport="ipc")
    command = [part.replace("{connection_file}", path) for part in nursery.command(tmp_path, settings)]
    stand_in = subprocess.Popen(command)
    client = BlockingKernelClient(connection_file=path)
    client.load_connection_file()
    client.start_channels(hb=False)  # it would call a kernel dead that is still loading
    client.wait_for_ready(timeout=120)
    return stand_in, client


def said(client, code):
    """What the kernel prints when it runs `code`."""
    lines = []
    client.execute_interactive(code, timeout=30, output_hook=lambda message: lines.append(
        message["content"].get("text", "")) if message["msg_type"] == "stream" else None)
    return "".join(lines).strip()


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def ends(condition, seconds=20):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_a_kernel_works_in_its_folder_with_its_settings_and_has_everything_loaded(nursery, tmp_path):
    stand_in, client = started(nursery, tmp_path, FX_TEST="甲")
    told = json.loads(said(client, "import os, sys, json; print(json.dumps([os.getcwd(), os.environ['FX_TEST'], "
                                   "'fengxiang.charts' in sys.modules, os.getpid()]))"))
    assert told[:3] == [str(tmp_path), "甲", True]
    stand_in.kill()
    stand_in.wait()
    ends(lambda: not alive(told[3]))
    client.stop_channels()


def test_kernels_share_nothing(nursery, tmp_path):
    pairs = []
    for name in "ab":
        (tmp_path / name).mkdir()
        pairs.append(started(nursery, tmp_path / name))
    (_, one), (_, other) = pairs
    said(one, "import pandas; pandas.mark = 1")
    assert said(other, "import pandas; print(hasattr(pandas, 'mark'))") == "False"
    for stand_in, client in pairs:
        client.stop_channels()
        stand_in.kill()
        stand_in.wait()


def test_the_stand_in_ends_when_the_kernel_dies(nursery, tmp_path):
    stand_in, client = started(nursery, tmp_path)
    client.execute("import os; os.kill(os.getpid(), 9)")
    assert stand_in.wait(20) == 0
    client.stop_channels()


def test_an_interrupt_leaves_the_stand_in_and_its_kernel(nursery, tmp_path):
    stand_in, client = started(nursery, tmp_path)
    stand_in.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert stand_in.poll() is None
    assert said(client, "print('still here')") == "still here"
    client.stop_channels()
    stand_in.kill()
    stand_in.wait()


def test_no_kernel_outlives_the_nursery(tmp_path):
    with Nursery({**os.environ, "PYTHONPATH": str(ROOT)}) as nursery:
        stand_in, client = started(nursery, tmp_path)
        process = int(said(client, "import os; print(os.getpid())"))
        assert alive(process)
        client.stop_channels()
    assert not alive(process)
    assert stand_in.wait(20) == 0


def test_without_forks_the_kernel_is_an_ordinary_one(monkeypatch, tmp_path):
    monkeypatch.delattr(os, "fork")
    with Nursery({}) as nursery:
        assert nursery.command(tmp_path, {})[:3] == [sys.executable, "-m", "ipykernel_launcher"]


def test_what_is_loaded_exists():
    import importlib.util

    assert [name for name in kernels.PRELOADED if importlib.util.find_spec(name) is None] == []
