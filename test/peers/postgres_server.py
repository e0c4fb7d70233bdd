# SPDX-License-Identifier: Apache-2.0
"""A throwaway PostgreSQL for tests: a new cluster in a temporary folder, on a free loopback port and a socket in that folder,
with logical replication. The server does not run as root: then it is the user `postgres`'s, or `nobody`'s.

    with Server() as server:
        server.sql("CREATE TABLE t (id int PRIMARY KEY)")
        ... server.url ...
"""
import os
import pathlib
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PLACES = ["/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/14/bin"]


def program(name):
    for place in PLACES:
        if os.access(f"{place}/{name}", os.X_OK):
            return f"{place}/{name}"
    return shutil.which(name)


def available():
    return program("initdb") is not None and program("postgres") is not None


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """`settings`: of postgresql.conf. With `password`, `postgres` needs one (SCRAM), and `url` has it; else everybody is trusted."""

    def __init__(self, password=False, **settings):
        self.password = secrets.token_hex(12) if password else None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nano-pg-"))
        self.data = self.folder / "data"
        self.port = free_port()
        self.log = self.folder / "log"
        self.settings = {"wal_level": "logical", "max_wal_senders": 20, "max_replication_slots": 20, "fsync": "off", "autovacuum": "off",
                         "shared_buffers": "64MB", "listen_addresses": "127.0.0.1", "unix_socket_directories": str(self.folder),
                         "port": self.port, "log_statement": "none", "max_connections": 60} | settings
        self.user = None
        if os.geteuid() == 0:
            names = {entry.pw_name for entry in pwd.getpwall()}
            self.user = "postgres" if "postgres" in names else "nobody"
            shutil.chown(self.folder, self.user)
        self.process = None
        secret = self.folder / "password"
        secret.write_text(self.password or "")
        secret.chmod(0o644)           # the folder is closed to others
        access = ["-A", "scram-sha-256", "--pwfile", str(secret)] if password else ["-A", "trust"]
        self._run([program("initdb"), "-D", str(self.data), "-U", "postgres", *access, "-E", "UTF8", "--locale=C.UTF-8", "-N"])
        self.start()

    @property
    def url(self):
        return f"postgresql://postgres{':' + self.password if self.password else ''}@127.0.0.1:{self.port}/postgres"

    def _run(self, command):
        done = subprocess.run(command, user=self.user, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, f"{command[0]} ended with {done.returncode}: {done.stdout[-2000:]}"

    def start(self):
        command = [program("postgres"), "-D", str(self.data)]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, user=self.user, cwd="/", stdout=log, stderr=log)
        for _ in range(600):
            if subprocess.run([program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode == 0:
                return
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            time.sleep(0.05)
        raise AssertionError("the server does not answer")

    def stop(self, how=signal.SIGINT):
        """SIGINT: fast; SIGQUIT: as in a crash."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(60)
        self.process = None

    def sql(self, text, database="postgres"):
        """Runs statements; gives the rows of the last one, fields by tabs."""
        done = subprocess.run([program("psql"), "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port),
                               "-U", "postgres", "-d", database], input=text, capture_output=True, text=True, env=os.environ | {"PGPASSWORD": self.password or ""})
        assert done.returncode == 0, f"psql: {done.stderr[-2000:]}"
        return done.stdout

    def psql(self, database="postgres"):
        """A session whose statements are written to its stdin."""
        return subprocess.Popen([program("psql"), "-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
