"""PgBouncer before a PostgreSQL of the tests, in the pool mode that a test asks for."""

from __future__ import annotations

import shutil

from tests.servers.machine import Unprivileged, answers, end, free_port, program, until


class PgBouncer:
    """A pooler on a loopback port that lets in everybody as `mailticket`, to any database of the server."""

    def __init__(self, server: int, mode: str, *more: str) -> None:
        path = program("pgbouncer", "/usr/sbin")
        assert path is not None
        runner = Unprivileged()
        self.root = runner.folder("mailticket-pgbouncer-")
        self.port = free_port()
        users, settings = self.root / "users", self.root / "pgbouncer.ini"
        users.write_text('"mailticket" ""\n')
        lines = [
            "[databases]", f"* = host=127.0.0.1 port={server}", "[pgbouncer]", "listen_addr = 127.0.0.1",
            f"listen_port = {self.port}", f"pool_mode = {mode}", "auth_type = trust", f"auth_file = {users}",
            "unix_socket_dir =", "logfile =", *more,
        ]  # fmt: skip
        settings.write_text("\n".join(lines) + "\n")
        for file in (users, settings):
            file.chmod(0o644)
        self._process = runner.start([path, str(settings)], self.root / "log")
        until(lambda: answers(self.port), "PgBouncer to answer")

    @staticmethod
    def available() -> bool:
        return program("pgbouncer", "/usr/sbin") is not None

    def url(self, url: str) -> str:
        """The URL of a database of the server, by way of the pooler."""
        return f"postgresql://mailticket@127.0.0.1:{self.port}/{url.rpartition('/')[2]}"

    def close(self) -> None:
        end(self._process)
        shutil.rmtree(self.root, ignore_errors=True)
