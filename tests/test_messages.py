"""Every message a user can meet is quoted in a test: a new one cannot come in without a test that provokes it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent
# which argument is the message: those of `error` and `_at` make a UserError of the place where it is called
MESSAGE = {"UserError": 0, "Unreadable": 0, "Rejection": 1, "error": 0, "_at": 1}
QUOTED = 24  # characters of a message that a test quotes at least, from the start of its longest piece


def pieces(node: ast.expr) -> Iterator[str]:
    """The longest literal piece of a message, of each of its wordings where it depends on something."""
    if isinstance(node, ast.IfExp):
        yield from pieces(node.body)
        yield from pieces(node.orelse)
        return
    found = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    if piece := max(found, key=len, default="").strip(" ”“.,;:()"):
        yield piece


def messages(source: str) -> list[tuple[int, str]]:
    """The messages of a module: the line of each and its longest literal piece."""
    out = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            at = MESSAGE.get(getattr(node.func, "id", getattr(node.func, "attr", "")), len(node.args))
            out += [(node.lineno, piece) for argument in node.args[at:at + 1] for piece in pieces(argument)]
        elif isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 3:
            out += [(node.lineno, piece) for piece in pieces(node.value.elts[1])]  # a rejection that a reader yields
    return out


def literals(source: str) -> str:
    """All texts of a test file, without the backslashes of patterns."""
    return "\n".join(n.value.replace("\\", "") for n in ast.walk(ast.parse(source))
                     if isinstance(n, ast.Constant) and isinstance(n.value, str))


def test_a_message_that_no_test_quotes_is_found():
    source = ('def f(x):\n    raise UserError(f"“{x}” is a made-up message nobody tests; mend it", "a.yml", 3)\n'
              'def g(x):\n    yield x, "a reason that was made up", ""\n'
              'def h(x):\n    raise Unreadable("quoted well enough" if x else "not quoted at all")\n')
    assert sorted(messages(source)) == [
        (2, "is a made-up message nobody tests; mend it"), (4, "a reason that was made up"), (6, "not quoted at all"),
        (6, "quoted well enough")]
    assert "is a (good) quotation" in literals('match = r"is a \\(good\\) quo" "tation"')


def test_every_message_is_quoted_in_a_test():
    quoted = "\n".join(literals(path.read_text(encoding="utf-8")) for path in sorted(TESTS.glob("*.py"))
                       if path != Path(__file__).resolve())
    missing = [f"{path.name}:{line}: {piece}" for path in sorted((TESTS.parent / "fengxiang").glob("*.py"))
               for line, piece in messages(path.read_text(encoding="utf-8")) if piece[:QUOTED] not in quoted]
    assert missing == []
