"""Folders that are no folders of this machine: an in-memory store, and an object store that worker processes reach."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import fsspec
import objectstore
import pytest
from test_build import CODEBOOK, contents, forks, many  # noqa: F401 (a fixture)

from fengxiang import build as building
from fengxiang import places, tables
from fengxiang.__main__ import main
from fengxiang.build import build, raw_files
from fengxiang.errors import UserError
from fengxiang.places import StoredFile, folder, is_local, local_copy, opened, stored_files, worked_on


@pytest.fixture
def memory():
    """An in-memory store, empty before and after."""
    store = fsspec.filesystem("memory")

    def emptied():
        store.store.clear()
        store.pseudo_dirs[:] = [""]

    emptied()
    yield store
    emptied()


@pytest.fixture
def store():
    with objectstore.running() as found:
        yield found


def upload(local: Path, location: str) -> None:
    """All files of a folder into a location."""
    for path in sorted(p for p in local.rglob("*") if p.is_file()):
        place = folder(f"{location}/{path.relative_to(local).as_posix()}")
        place.fs.makedirs(place.parent.path, exist_ok=True)
        place.fs.pipe_file(place.path, path.read_bytes())


def stored(location: str) -> dict[str, str]:
    """The tables of an output location, as `contents` gives those of a folder."""
    place = tables.processed(location)
    return {file.name: hashlib.sha256((place / file.name).read_bytes()).hexdigest() for file in stored_files(place)}


def test_a_path_and_an_address_of_this_machine_are_paths(tmp_path):
    assert folder("data/raw") == Path("data/raw")
    assert folder(tmp_path) is tmp_path
    assert folder((tmp_path / "a b").as_uri().replace("%20", " ")) == tmp_path / "a b"
    assert folder(f"local://{tmp_path}") == tmp_path
    assert is_local(folder(tmp_path))
    assert not is_local(folder("memory://somewhere"))
    assert str(folder("memory://somewhere") / "a" / "b.md") == "memory://somewhere/a/b.md"


@pytest.mark.parametrize("address", ["nonsense://x/y", "github://a"])
def test_an_address_fsspec_cannot_open_is_one_sentence(address):
    with pytest.raises(UserError, match=rf"{address}: cannot be opened \(.*\); give a folder of this machine, or an "
                                        "address like s3://bucket/folder with the package of its kind") as caught:
        folder(address)
    assert "\n" not in str(caught.value)


def test_files_of_a_store_are_listed_with_what_tells_a_change(memory, store):
    memory.pipe_file("/place/b.md", b"12345")
    memory.pipe_file("/place/a/c.md", b"1")
    memory.pipe_file("/placebo/d.md", b"1")
    first = stored_files(folder("memory://place"))
    assert [(f.name, f.size) for f in first] == [("a/c.md", 1), ("b.md", 5)]
    memory.pipe_file("/place/b.md", b"54321")
    second = stored_files(folder("memory://place"))
    assert first[0] == second[0]
    assert first[1].stamp != second[1].stamp
    store.objects |= {"x/1": b"one", "x/2": b"two", "y/1": b""}
    found = stored_files(folder(store.url("x")))
    assert found == [StoredFile("1", 3, f"ETag={hashlib.sha256(b'one').hexdigest()}"),
                     StoredFile("2", 3, f"ETag={hashlib.sha256(b'two').hexdigest()}")]
    assert stored_files(folder(store.url("nothing"))) == []


def test_a_store_that_tells_no_sizes_is_refused(memory, monkeypatch):
    memory.pipe_file("/place/b.md", b"12345")
    monkeypatch.setattr(type(memory), "find", lambda *_, **__: {"/place/b.md": {"name": "/place/b.md", "size": None}})
    with pytest.raises(UserError, match="memory://place: cannot be used: its store does not tell how large a file is"):
        stored_files(folder("memory://place"))


def test_a_store_that_cannot_be_listed_is_named(memory, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError("access denied")

    monkeypatch.setattr(type(memory), "find", refuse)
    with pytest.raises(UserError, match=r"memory://place: cannot be listed \(PermissionError: access denied\); mend "
                                        "the address, or the right to read there"):
        stored_files(folder("memory://place"))


def test_a_file_of_a_store_opens_and_what_goes_wrong_is_an_oserror(memory, monkeypatch):
    memory.pipe_file("/place/b.md", "语句".encode())
    with opened("memory://place", "b.md") as handle:
        handle.seek(3)
        assert handle.read().decode() == "句"
    with pytest.raises(OSError, match=r"nothing\.md"), opened("memory://place", "nothing.md"):
        pass

    def broken(*_, **__):
        raise RuntimeError("the store is away")

    monkeypatch.setattr(type(memory), "open", broken)
    with pytest.raises(OSError, match="RuntimeError: the store is away"), opened("memory://place", "b.md"):
        pass


def test_raw_files_of_a_store_are_those_of_the_same_folder(many, memory):  # noqa: F811
    (many / ".hidden").mkdir()
    (many / ".hidden" / "a.md").write_text("x", encoding="utf-8")
    (many / "README.md").write_text("x", encoding="utf-8")
    upload(many, "memory://raw")
    here, there = raw_files(many), raw_files(folder("memory://raw"))
    assert [f[:2] for f in here] == [f[:2] for f in there]


def test_a_build_in_a_store_makes_the_tables_of_a_build_in_a_folder(many, memory, tmp_path):  # noqa: F811
    upload(many, "memory://project/raw")
    upload(CODEBOOK, "memory://project/codebook")
    build(many, tmp_path / "here", CODEBOOK, workers=1)
    where = ("memory://project/raw", "memory://project/out", "memory://project/codebook")
    first = build(*where)
    assert first.n_redone == first.n_partitions > 4
    assert stored(where[1]) == contents(tmp_path / "here")
    again = build(*where)
    assert (again.changed, again.n_redone) == (False, 0)

    name = next(f.name for f in stored_files(folder(where[0])))
    more = many / name
    more.write_bytes(more.read_bytes() + "\n\n上海金融监管局要求守住底线。\n".encode())
    upload(many, where[0])
    third = build(*where)
    assert third.changed
    shutil.rmtree(tmp_path / "here")
    build(many, tmp_path / "here", CODEBOOK, workers=1)
    assert stored(where[1]) == contents(tmp_path / "here")
    left = {Path(f.name).stem for f in stored_files(folder(where[1]) / ".fengxiang" / "cache")}
    assert left == {p.stem for p in (tmp_path / "here" / ".fengxiang" / "cache").rglob("*.kept")}
    read = tables.read(where[1], "statements", ["statement_id", "year"], [("year", "=", 2026)])
    assert read.equals(tables.read(tmp_path / "here", "statements", ["statement_id", "year"], [("year", "=", 2026)]))


def test_a_store_that_shrinks_to_one_partition_leaves_no_parts(many, memory, tmp_path, monkeypatch):  # noqa: F811
    upload(many, "memory://raw")
    build("memory://raw", "memory://out", CODEBOOK)
    assert any("/part-" in name for name in stored("memory://out"))
    monkeypatch.setattr(building, "PARTITION_BYTES", 1_000_000)
    build("memory://raw", "memory://out", CODEBOOK)
    build(many, tmp_path / "here", CODEBOOK, workers=1)
    assert stored("memory://out") == contents(tmp_path / "here")


def test_where_a_store_tells_of_no_change_files_are_read_again(many, memory, monkeypatch):  # noqa: F811
    upload(many, "memory://raw")
    monkeypatch.setattr(places, "_TELLING", ())
    assert build("memory://raw", "memory://out", CODEBOOK).changed
    place = folder("memory://raw")
    name, size, *_ = stored_files(place)[0]
    before = stored("memory://out")
    (place / name).write_bytes(b"\n" * size)  # nothing the listing tells is another thing
    assert build("memory://raw", "memory://out", CODEBOOK).n_redone
    assert stored("memory://out") != before


@forks
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_worker_processes_read_and_write_an_object_store(many, store, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(building, "IN_PROCESS_BYTES", 0)
    monkeypatch.setattr(building.threading, "active_count", lambda: 1)  # the server's own threads do not matter here
    upload(many, store.url("raw"))
    build(store.url("raw"), store.url("out"), CODEBOOK, workers=2)
    build(many, tmp_path / "here", CODEBOOK, workers=1)
    assert stored(store.url("out")) == contents(tmp_path / "here")
    assert not build(store.url("raw"), store.url("out"), CODEBOOK, workers=2).changed
    assert {key.split("/")[0] for key in store.objects} == {"raw", "out"}


def test_the_workers_of_a_cluster_do_not_see_this_process(memory, many):  # noqa: F811
    upload(many, "memory://raw")
    with pytest.raises(UserError, match="memory://raw: is seen by this process alone"):
        build("memory://raw", "memory://out", CODEBOOK, executor=object())


def test_an_output_folder_in_a_store_is_worked_on_in_a_copy(memory):
    memory.pipe_file("/out/kept.txt", b"kept")
    memory.pipe_file("/out/sub/changed.txt", b"before")
    memory.pipe_file("/out/gone.txt", b"gone")
    written = {f.name: f.stamp for f in stored_files(folder("memory://out"))}
    work = worked_on(folder("memory://out"))
    copy = work.__enter__()
    assert (copy / "sub" / "changed.txt").read_bytes() == b"before"
    (copy / "sub" / "changed.txt").write_bytes(b"after")
    (copy / "new.txt").write_bytes(b"new")
    (copy / "gone.txt").unlink()
    assert not work.__exit__(KeyError, KeyError(), None)  # what was done is not lost when the work fails
    assert not copy.exists()
    now = {f.name: f.stamp for f in stored_files(folder("memory://out"))}
    assert {n: memory.cat_file(f"/out/{n}") for n in now} == {
        "kept.txt": b"kept", "sub/changed.txt": b"after", "new.txt": b"new"}
    assert now["kept.txt"] == written["kept.txt"]  # not sent again


def test_a_name_that_leads_out_of_a_copy_is_refused(store):
    store.objects["x/../../escaped.txt"] = b"out"
    with pytest.raises(UserError, match=r"holds “\.\./\.\./escaped\.txt”, which is no name of a file within it"), \
            local_copy(store.url("x")):
        pass


def test_the_command_line_builds_in_a_store_and_says_where(many, memory, tmp_path, capsys):  # noqa: F811
    upload(many, "memory://raw")
    assert main(["build", "--raw", "memory://raw", "--out", "memory://out"]) == 0
    assert "→ memory://out/data/processed" in capsys.readouterr().out
    assert main(["codebook", "--raw", "memory://raw", "--out", "memory://out"]) == 0
    assert main(["report", "--open", "--raw", "memory://raw", "--out", "memory://out"]) == 2
    assert "memory://out: is no folder of this machine" in capsys.readouterr().err
    assert main(["build", "--raw", "memory://nothing", "--out", "memory://out"]) == 2
    assert "memory://nothing: is not a folder" in capsys.readouterr().err
    assert main(["clean", "--out", "memory://out"]) == 0
    assert stored_files(folder("memory://out")) == []
    assert len(stored_files(folder("memory://raw"))) == len(raw_files(many))


def test_codings_are_not_written_into_a_codebook_in_a_store(memory, capsys):
    upload(CODEBOOK, "memory://codebook")
    assert main(["gold", "--read", "sheet.csv", "--codebook", "memory://codebook"]) == 2
    assert ("memory://codebook: codings are written into a codebook of this machine; copy it here and give that folder"
            in capsys.readouterr().err)


def test_nothing_of_fsspec_is_loaded_for_folders_of_this_machine(many, tmp_path):  # noqa: F811
    code = ("import sys; from fengxiang.build import build; build(*sys.argv[1:], workers=1); "
            "print([m for m in ('fsspec', 'upath') if m in sys.modules])")
    said = subprocess.check_output([sys.executable, "-c", code, str(many), str(tmp_path / "out"), str(CODEBOOK)],
                                   text=True, cwd=Path(__file__).parent.parent, env=os.environ)
    assert said.split("\n")[-2] == "[]"
