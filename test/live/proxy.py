# SPDX-License-Identifier: Apache-2.0
"""A network that misbehaves, between a client and a server on this machine: connections are cut in the middle of a message, nothing
passes for a while, or everything passes slowly."""
import contextlib
import random
import socket
import threading
import time


class Proxy:
    def __init__(self, port):
        self.target, self.pairs, self.lock = port, [], threading.Lock()
        self.stalled, self.delay, self.closed = False, 0.0, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while not self.closed:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
                server.settimeout(None)
            except OSError:
                with contextlib.suppress(OSError, UnboundLocalError):
                    client.close()
                continue
            with self.lock:
                self.pairs.append((client, server))
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(a, b), daemon=True).start()

    def _pump(self, source, sink):
        try:
            while data := source.recv(65536):
                while self.stalled and not self.closed:
                    time.sleep(0.05)
                if self.delay:
                    time.sleep(self.delay)
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self):
        """Every connection ends now, half a message of it perhaps under way."""
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    if random.random() < 0.5:       # a reset, not an orderly end
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    end.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.closed = True
        self.listener.close()
        self.cut()
