# SPDX-License-Identifier: Apache-2.0
"""A network that loses the answer to a COMMIT: stands between a client and PostgreSQL, lets the n-th commit of a lake's snapshot through to
the server, and then cuts that session, or all of them. A client knows nothing of what became of it."""
import re
import selectors
import socket
import threading
import time


class LosingProxy:
    def __init__(self, port, cut="session", at=1):
        self.port, self.cut, self.left, self.lost = port, cut, at, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.sockets, self.closed = [], False

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.closed = True
        self.listener.close()
        self.cut_all()

    @property
    def listens(self):
        return self.listener.getsockname()[1]

    def accept(self):
        while not self.closed:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port))
            self.sockets += [client, server]
            threading.Thread(target=self.pass_on, args=(client, server), daemon=True).start()

    def cut_all(self):
        for end in self.sockets:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def pass_on(self, client, server):
        commits_snapshot = False
        with selectors.DefaultSelector() as ready, client, server:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            try:
                while True:
                    for key, _ in ready.select():
                        said = key.fileobj.recv(1 << 16)
                        if not said:
                            return
                        key.data.sendall(said)
                        if key.fileobj is not client:
                            continue
                        commits_snapshot = commits_snapshot or b"ducklake_snapshot VALUES" in said
                        if commits_snapshot and re.search(rb"COMMIT", said):
                            commits_snapshot = False
                            self.left -= 1
                            if self.left == 0:
                                time.sleep(0.5)         # the server has done it
                                self.lost += 1
                                if self.cut == "all":
                                    self.cut_all()
                                return
            except OSError:
                return
