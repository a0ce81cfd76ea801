"""Servers that are like the head of a Ray cluster, or not."""

from __future__ import annotations

import socket
import threading

SETTINGS = b"\0\0\0\4\0\0\0\0\0"  # an empty frame of HTTP/2's
SSH = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"


class Server:
    """Takes connections on a port of this machine, and says the same to each.

    Args:
        says: None: it closes the connection. port: 0 for any that is free. host: of this machine.
    """

    def __init__(self, says: bytes | None = SETTINGS, port: int = 0, host: str = "127.0.0.1") -> None:
        self._listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, port))
        self._listener.listen()
        self.port = self._listener.getsockname()[1]
        self.address = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        self._says = says
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._thread.join()
        for each in (self._listener, *self._open):
            each.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self) -> None:
        while True:
            try:
                taken = self._listener.accept()[0]
            except OSError:
                return
            if self._says is None:
                taken.close()
                continue
            taken.sendall(self._says)
            self._open.append(taken)
