"""The build on a cluster: a real scheduler and two worker processes on the loopback interface."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import objectstore
import pytest
from test_build import CODEBOOK, contents, many  # noqa: F401 (a fixture)
from test_places import stored, upload

from fengxiang.build import build
from fengxiang.cluster import executor_of
from fengxiang.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
needs_distributed = pytest.mark.skipif(importlib.util.find_spec("distributed") is None,
                                       reason="the package distributed (extra “cluster”) is not installed")


@pytest.fixture
def cluster(tmp_path):
    """The scheduler's address and the worker processes."""
    file = tmp_path / "scheduler.json"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
                                "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "60s"}
    log = open(tmp_path / "cluster.log", "wb")  # noqa: SIM115 (closed below)
    begin = {"cwd": tmp_path, "env": environment, "stdout": log, "stderr": log}
    processes = [subprocess.Popen([sys.executable, "-m", "dask", "scheduler", "--host", "127.0.0.1", "--port", "0",
                                   "--no-dashboard", "--no-jupyter", "--scheduler-file", str(file)], **begin)]
    try:
        processes += [subprocess.Popen([sys.executable, "-m", "dask", "worker", "--scheduler-file", str(file),
                                        "--no-nanny", "--no-dashboard", "--nthreads", "1", "--name", f"w{i}",
                                        "--host", "127.0.0.1", "--local-directory", str(tmp_path / f"w{i}"),
                                        "--preload", objectstore.__file__], **begin)
                      for i in range(2)]
        until = time.monotonic() + 60
        while not file.exists() and time.monotonic() < until:
            time.sleep(0.1)
        assert file.exists(), (tmp_path / "cluster.log").read_text(errors="replace")[-2000:]
        yield json.loads(file.read_text())["address"], processes[1:]
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()
        log.close()


@needs_distributed
def test_a_cluster_and_an_object_store_make_the_same_tables(many, tmp_path, cluster):  # noqa: F811
    address, _ = cluster
    with objectstore.running() as store:
        upload(many, store.url("raw"))
        upload(CODEBOOK, store.url("codebook"))
        with executor_of(address) as executor:
            result = build(*map(store.url, ("raw", "out", "codebook")), executor=executor)
        assert result.n_redone == result.n_partitions > 4
        assert {key.split("/")[0] for key in store.objects} == {"raw", "out", "codebook"}
        build(many, tmp_path / "here", CODEBOOK, workers=1)
        assert stored(store.url("out")) == contents(tmp_path / "here")


@needs_distributed
def test_a_cluster_that_loses_a_worker_makes_the_same_tables(many, tmp_path, cluster):  # noqa: F811
    address, workers = cluster
    said = []

    def progress(message):
        said.append(message)
        if message.startswith("2/"):
            workers[0].send_signal(signal.SIGKILL)

    with executor_of(address) as executor:
        result = build(many, tmp_path / "cluster", CODEBOOK, executor=executor, progress=progress)
    assert workers[0].wait(10) == -signal.SIGKILL
    assert result.n_partitions == result.n_redone > 4
    assert any(m.startswith(f"{result.n_redone}/") for m in said)
    build(many, tmp_path / "here", CODEBOOK, workers=1)
    assert contents(tmp_path / "cluster") == contents(tmp_path / "here")


@needs_distributed
def test_an_address_where_nobody_answers_is_one_plain_sentence():
    with pytest.raises(UserError, match="no Dask scheduler answers at nonsense://x; an address is like "
                                        "tcp://host:8786"), executor_of("nonsense://x"):
        pass


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UserError, match="--cluster needs the package “distributed”; install it with "
                                        r"`pip install fengxiang\[cluster\]`"), executor_of("tcp://x:1"):
        pass
