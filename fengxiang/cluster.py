"""The build on a Dask cluster: the same partition function through the same kind of executor."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import Executor

from .errors import UserError

RETRIES = 3  # times a partition is tried again when its worker goes away


@contextlib.contextmanager
def executor_of(address: str) -> Iterator[Executor]:
    """An executor that runs tasks on the Dask cluster whose scheduler is at `address` (`tcp://host:8786`).

    The workers must have this version of the package installed, and see the raw folder, the codebook and the output
    folder under the same paths or addresses. Tasks of a worker that goes away are done by the others.

    Raises:
        UserError: the package distributed is not installed, or no scheduler answers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise UserError("--cluster needs the package “distributed”; install it with "
                        "`pip install fengxiang[cluster]`") from None
    try:
        client = Client(address, timeout=10, set_as_default=False)
    except (OSError, ValueError):
        raise UserError(f"no Dask scheduler answers at {address}; an address is like tcp://host:8786") from None
    with client:
        yield client.get_executor(retries=RETRIES, pure=False)
