"""YAML that an analyst edits: loaded safely, with the line of every value at hand for error messages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from .errors import UserError

MAX_BYTES = 5_000_000
# the parser in C where the package has it: ten times as fast, the same events
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Whether there may be a tag, an anchor or an alias: each begins a line or stands behind one of these signs,
# the first two with a space.
_MAY_REFER = re.compile(r"(?:^|[-?]\s|[:,\[{])\s*[&*!]", re.MULTILINE).search
_STRING = "tag:yaml.org,2002:str"


def read_text(path: str | Path) -> str:
    """The text of a file of the codebook.

    Raises:
        UserError: the file is missing, too large or not UTF-8; of the latter names the line.
    """
    try:
        raw = Path(path).read_bytes()
    except FileNotFoundError:
        raise UserError("this file of the codebook is missing", path) from None
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror or error}); put the file of the codebook there that you may "
                        "read", path) from None
    if len(raw) > MAX_BYTES:
        raise UserError(f"is larger than the {MAX_BYTES:,} bytes a codebook file may have; take out what is not needed",
                        path)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError("is not UTF-8; save it as UTF-8 in the editor", path,
                        raw.count(b"\n", 0, error.start) + 1) from None


class YamlFile:
    """A YAML file as plain data, and the line on which each value stands.

    Only mappings, lists, strings, numbers, booleans and nulls are taken: a tag, an anchor, an alias or a
    repeated key is refused, so that what the analyst reads is what the program gets.

    Attributes:
        path: the file.
        data: its content.

    Raises:
        UserError: the file is missing or is not such YAML; names the line.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._lines: dict[tuple, int] = {}
        text = read_text(self.path)
        try:
            for event in yaml.parse(text, Loader=_LOADER) if _MAY_REFER(text) else ():
                if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                    raise self._at(event, "anchors and aliases (& and *) are not taken here; write the value out")
                if getattr(event, "tag", None):
                    raise self._at(event, f"the tag {event.tag} is not taken here; write plain values")
            node = yaml.compose(text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise UserError(f"is not valid YAML: {error.problem or error.context}; mend this line or the one above it",
                            self.path, mark.line + 1 if mark else None) from None
        except yaml.reader.ReaderError as error:
            raise UserError(f"holds the control character U+{error.character:04X}; delete it", self.path,
                            text.count("\n", 0, error.position) + 1) from None
        self.data: Any = None if node is None else self._plain(node, ())

    def _at(self, event, message: str) -> UserError:
        return UserError(message, self.path, event.start_mark.line + 1)

    def _plain(self, node, keys: tuple) -> Any:
        self._lines[keys] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            out: dict = {}
            for key_node, value_node in node.value:
                key = _scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
                if key is None:
                    raise self._at(key_node, "a key must be a plain word")
                if key in out:
                    raise self._at(key_node, f"the key “{key}” stands twice")
                out[key] = self._plain(value_node, (*keys, key))
                self._lines[*keys, key] = key_node.start_mark.line + 1  # the line of a block is that of its key
            return out
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(item, (*keys, i)) for i, item in enumerate(node.value)]
        return _scalar(node)

    def line(self, *keys) -> int | None:
        """The line of the value at `keys`, or of its nearest parent that has one."""
        while keys and keys not in self._lines:
            keys = keys[:-1]
        return self._lines.get(keys)

    def error(self, message: str, *keys) -> UserError:
        """A `UserError` that names this file and the line of the value at `keys`."""
        return UserError(message, self.path, self.line(*keys))


def _scalar(node) -> Any:
    if node.tag == _STRING:
        return node.value
    plain = node.tag.startswith("tag:yaml.org,2002:")
    return yaml.constructor.SafeConstructor().construct_object(node) if plain else node.value
