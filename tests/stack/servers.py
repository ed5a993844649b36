"""A PostgreSQL and a Redis of one test's own, which it may kill."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psutil


def free_port(host="127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def _postgres(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
        found = str(places[-1])
    return found


def kill_tree(pid: int) -> None:
    """SIGKILL for a process and all below it, in one go."""
    try:
        process = psutil.Process(pid)
        every = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for one in every:
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(every, 10)


class Servers:
    def __init__(self, host="127.0.0.1"):
        # Not below pytest's folder, which is shut to the database's user.
        self.folder, self.host = Path(tempfile.mkdtemp(prefix="wuzhen-servers-")), host
        self.database_port, self.redis_port = free_port(host), free_port(host)
        self.as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self.data = self.folder / "pg"
        self.data.mkdir()
        if self.as_user:
            for place in (self.folder, self.data):
                shutil.chown(place, "postgres")
        subprocess.run(
            [*self.as_user, _postgres("initdb"), "-D", str(self.data), "-U", "wuzhen", "-A",
             "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True, capture_output=True, cwd="/",
        )  # fmt: skip
        with (self.data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 10.0.0.0/8 trust\n")
        self.start_database()
        self.start_redis()

    @property
    def env(self) -> dict[str, str]:
        return {
            "DATABASE_URL": f"postgres://wuzhen@{self.host}:{self.database_port}/postgres",
            "REDIS_URL": f"redis://{self.host}:{self.redis_port}/0",
        }

    def start_database(self) -> None:
        for _n in range(20):
            done = subprocess.run(
                [*self.as_user, _postgres("pg_ctl"), "-D", str(self.data), "-l",
                 str(self.data / "log"), "-w", "start", "-o",
                 f"-p {self.database_port} -k {self.data} -c listen_addresses={self.host} "
                 "-c fsync=off -c max_connections=100"],
                capture_output=True, cwd="/", check=False,
            )  # fmt: skip
            if done.returncode == 0:
                return
            time.sleep(0.5)  # the killed one's memory is not yet given back
        raise RuntimeError(done.stderr.decode() + (self.data / "log").read_text())

    def kill_database(self) -> None:
        pid = int((self.data / "postmaster.pid").read_text().split()[0])
        kill_tree(pid)

    def start_redis(self) -> None:
        self.redis = subprocess.Popen(
            ["redis-server", "--port", str(self.redis_port), "--bind", self.host, "--save", "",
             "--appendonly", "no", "--protected-mode", "no", "--dir", str(self.folder)],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        for _n in range(100):
            try:
                with socket.create_connection((self.host, self.redis_port), timeout=1):
                    return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("Redis did not start")

    def kill_redis(self) -> None:
        """With it all messages are gone: it keeps nothing on disk."""
        self.redis.send_signal(signal.SIGKILL)
        self.redis.wait()

    def stop(self) -> None:
        self.kill_redis()
        if (self.data / "postmaster.pid").exists():
            self.kill_database()
        shutil.rmtree(self.folder, ignore_errors=True)
