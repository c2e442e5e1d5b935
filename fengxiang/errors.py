"""The one error a user is meant to read."""

from __future__ import annotations

from pathlib import Path


class UserError(Exception):
    """What went wrong, where, and what to do about it, in one sentence.

    Raised for an unusable folder, a broken codebook or a wrong argument: things the user can mend. The
    command line prints it and exits with status 2; a traceback is never shown for it.

    Args:
        message: the sentence, without the place.
        path: the file it is about, shown before the sentence.
        line: its line in that file, from 1.
    """

    def __init__(self, message: str, path: str | Path | None = None, line: int | None = None):
        self.message, self.path, self.line = message, path, line
        place = "" if path is None else f"{path}:{line}: " if line else f"{path}: "
        super().__init__(place + message)
