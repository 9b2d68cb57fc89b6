"""A simulator behind a socket, for clients that nobody here wrote."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from gateway.kit.simulator import Simulator


class Door(BaseHTTPRequestHandler):
    """HTTP in front of the simulator that a subclass names."""

    simulator: Simulator

    def serve(self) -> None:
        """One request in, one answer out."""
        length = int(self.headers.get("Content-Length") or 0)
        url = f"https://{self.headers['Host']}{self.path}"
        request = httpx.Request(
            self.command, url, headers=list(self.headers.items()), content=self.rfile.read(length)
        )
        response = self.simulator.handle(request, now=time.time())
        self.send_response(response.status_code)
        for name, value in response.headers.items():
            if name != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.content)))
        self.end_headers()
        self.wfile.write(response.content)

    do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = serve  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@contextmanager
def opened(simulator: Simulator) -> Iterator[int]:
    """The port on 127.0.0.1 at which the simulator listens meanwhile."""
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), type("OpenDoor", (Door,), {"simulator": simulator})
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
