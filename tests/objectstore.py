"""An object store on the loopback interface, for the tests: a server that any process reaches, and what fsspec needs
to speak to it. It has objects, not folders: a prefix is there when something under it is."""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote

import fsspec
from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

PROTOCOL = "loopback"


class Store(ThreadingHTTPServer):
    """The server and its objects; `log` is of what was asked, by method and key."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.log: list[tuple[str, str]] = []

    def url(self, key: str) -> str:
        """The address of a key."""
        return f"{PROTOCOL}://127.0.0.1:{self.server_address[1]}/{key}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _key(self) -> str:
        key = unquote(self.path[1:])
        self.server.log.append((self.command, key))
        return key

    def do_PUT(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.objects[self._key()] = data
        self._answer(200)

    def do_DELETE(self):
        self._answer(200 if self.server.objects.pop(self._key(), None) is not None else 404)

    def do_GET(self):
        objects, key = self.server.objects, self._key()
        if key.startswith("?"):
            found = {k: [len(v), hashlib.sha256(v).hexdigest()] for k, v in list(objects.items())
                     if k.startswith(key[1:])}
            self._answer(200, json.dumps(found).encode())
        elif key not in objects:
            self._answer(404)
        elif asked := self.headers.get("Range"):
            start, end = asked.removeprefix("bytes=").split("-")
            self._answer(206, objects[key][int(start):int(end) + 1])
        else:
            self._answer(200, objects[key])


@contextmanager
def running():
    """A store that is there for as long as the block."""
    with Store() as store:
        thread = threading.Thread(target=store.serve_forever, daemon=True)
        thread.start()
        try:
            yield store
        finally:
            store.shutdown()
            thread.join()


class LoopbackFileSystem(AbstractFileSystem):
    """What fsspec does with such a store; paths are `host:port/key`."""

    protocol = PROTOCOL
    cachable = False

    def _ask(self, method: str, path: str, body: bytes | None = None, headers: dict | None = None, query: str = ""):
        host, _, key = self._strip_protocol(path).partition("/")
        connection = HTTPConnection(host, timeout=30)
        try:
            connection.request(method, "/" + quote(query + key), body, headers or {})
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        if answer.status == 404:
            raise FileNotFoundError(path)
        return data

    def ls(self, path, detail=True, **_):
        path = self._strip_protocol(path).rstrip("/")
        host = path.partition("/")[0]
        found = {}
        for key, (size, tag) in json.loads(self._ask("GET", path, query="?")).items():
            full = f"{host}/{key}"
            if full == path:
                found[full] = {"name": full, "size": size, "type": "file", "ETag": tag}
            elif full.startswith(path + "/"):
                head, _, rest = full[len(path) + 1:].partition("/")
                name = f"{path}/{head}"
                found[name] = {"name": name, "size": 0, "type": "directory"} if rest else \
                    {"name": name, "size": size, "type": "file", "ETag": tag}
        if not found:
            raise FileNotFoundError(path)
        return [found[name] for name in sorted(found)] if detail else sorted(found)

    def makedirs(self, path, exist_ok=False):
        """There are no folders."""

    def _rm(self, path):
        self._ask("DELETE", path)

    def cat_file(self, path, start=None, end=None, **_):
        if start is None and end is None:
            return self._ask("GET", path)
        return self._ask("GET", path, headers={"Range": f"bytes={start or 0}-{end - 1}"})

    def _open(self, path, mode="rb", block_size=None, autocommit=True, cache_options=None, **_):
        return _LoopbackFile(self, path, mode, 2**16, autocommit, cache_options=cache_options)


class _LoopbackFile(AbstractBufferedFile):
    def _fetch_range(self, start, end):
        return self.fs.cat_file(self.path, start, end)

    def _upload_chunk(self, final=False):
        if not final:
            return False  # the object appears whole
        self.fs._ask("PUT", self.path, self.buffer.getvalue())
        return True


fsspec.register_implementation(PROTOCOL, LoopbackFileSystem, clobber=True)
