"""The command line as a user meets it: fast, plain, never a traceback."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fengxiang import __main__ as command_line
from fengxiang.__main__ import main, printable

ROOT = Path(__file__).resolve().parent.parent
# what is printed waits in a buffer, as it does for most users
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def run(*arguments, **kwargs):
    return subprocess.run([sys.executable, "-m", "fengxiang", *arguments], cwd=ROOT, capture_output=True, text=True,
                          encoding="utf-8", check=False, **kwargs)


def test_help_imports_nothing_heavy():
    code = ("import sys\nfrom fengxiang.__main__ import main\n"
            "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
            "print(sorted({'pandas', 'numpy', 'pyarrow', 'matplotlib', 'rjieba', 'yaml'} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_is_quick():
    # the best of some runs: the machine may be busy with something else
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        assert run("--help").returncode == 0
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.3


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise there")
def test_a_reader_who_stops_reading_ends_it_quietly():
    code = ("import sys\nfrom fengxiang import __main__\n"
            "__main__._targets = lambda options: [print('x' * 1000, flush=True) for _ in range(1000)] and 0\n"
            "sys.exit(__main__.main(['targets']))")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, **pipes) as running:
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise there")
def test_a_reader_who_reads_nothing_ends_it_quietly():
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as nobody:
        done = subprocess.run([sys.executable, "-m", "fengxiang", "targets"], cwd=ROOT, stdout=nobody, env=BUFFERED,
                              stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk here that is full at will")
def test_what_is_printed_to_a_full_disk_is_missed_in_one_sentence():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([sys.executable, "-m", "fengxiang", "targets"], cwd=ROOT, stdout=full, env=BUFFERED,
                              stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_make_targets_are_explained():
    done = run("targets")
    assert done.returncode == 0
    assert {"report", "build", "kit", "test", "lab", "bench", "env"} <= {
        line.split()[1] for line in done.stdout.splitlines() if line.startswith("  make ")}


@pytest.mark.parametrize(("arguments", "words"), [
    (["build", "--raw", "no/such/folder"], "no/such/folder: is not a folder; give the folder that holds the articles"),
    (["build", "--codebook", "no/such"], "no/such: is not a folder; give a codebook folder"),
    (["report", "--raw", "README.md"], "README.md: is not a folder"),
])
def test_an_unusable_folder_is_one_sentence_and_status_2(arguments, words):
    done = run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr.replace("\\", "/")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("arguments", [
    ["biuld"], ["build", "--workers", "0"], ["build", "--workers", "many"], ["build", "--wrong"]])
def test_a_wrong_command_is_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_an_old_python_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 10, 1))
    monkeypatch.setattr(sys, "version", "3.10.1 (main)")
    assert main(["env"]) == 2
    assert capsys.readouterr().err == ("fengxiang: Python 3.11 or newer is needed, and this is 3.10.1; install one and "
                                       "run `make env` with it\n")


def test_packages_that_cannot_be_installed_are_said_and_leave_no_environment_that_counts(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command_line, "VENV", tmp_path / "venv")
    monkeypatch.setattr("venv.EnvBuilder.create", lambda self, folder: folder.mkdir())
    monkeypatch.setattr(command_line.subprocess, "call", lambda command: 1)
    assert main(["env"]) == 2
    assert ("the packages of requirements.lock could not be installed; the reason stands above; run `make env` again "
            "once it is mended") in capsys.readouterr().err
    assert not (tmp_path / "venv" / "ready").exists()


def test_a_broken_codebook_is_named_with_its_line(tmp_path):
    import shutil

    shutil.copytree(ROOT / "codebook", tmp_path / "codebook")
    themes = tmp_path / "codebook" / "themes.yml"
    lines = themes.read_text(encoding="utf-8").splitlines()
    at = next(i for i, line in enumerate(lines) if line.strip().startswith("terms:"))
    lines.insert(at, "    trems: [错字]")
    themes.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.md").write_text("---\ntitle: 金融监管\n---\n\n金融监管局推进科技金融。\n", encoding="utf-8")
    done = run("build", "--raw", str(tmp_path / "raw"), "--out", str(tmp_path / "out"), "--codebook",
               str(tmp_path / "codebook"))
    assert done.returncode == 2
    assert f"themes.yml:{at + 1}: " in done.stderr
    assert "trems" in done.stderr


def test_rejected_files_are_counted_on_standard_error(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "空.txt").write_bytes(b"")
    done = run("build", "--raw", str(tmp_path / "raw"), "--out", str(tmp_path / "out"))
    assert done.returncode == 0
    assert "1 file or record could not be used" in done.stderr
    assert "rejected.csv" in done.stderr


def test_control_marks_never_reach_the_terminal():
    assert printable("a\x1b[31m\u202eb\n") == "a\\u001b[31m\\u202eb\\u000a"
