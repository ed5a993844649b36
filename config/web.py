"""The web server's processes under one that replaces those that die: ``python -m config.web``."""

import argparse
import contextlib
import resource
import sys
import traceback

from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.supervisors import Multiprocess

# Requests that are being answered have so long when the server is stopped.
STOP_S = 5
# A process gives a sign of life at least so often, or is replaced.
ALIVE_S = 15
# Each stream is an open file, and systems let a process have 1024 where it does not ask for more.
OPEN_FILES = 65536


def load():
    """The application. One that cannot be loaded ends the server, and is not tried for ever."""
    try:
        from config.asgi import application
    except Exception:
        traceback.print_exc()
        sys.exit(STARTUP_FAILURE)
    return application


def _allow_many_streams() -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--behind-proxy", action="store_true")
    options = parser.parse_args()
    config = Config(
        "config.web:load",
        factory=True,
        host=options.host,
        port=options.port,
        workers=options.workers,
        lifespan="on",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        # Whose word about the client's address is taken: FORWARDED_ALLOW_IPS, by default this
        # machine's.
        proxy_headers=options.behind_proxy,
        timeout_graceful_shutdown=STOP_S,
        timeout_worker_healthcheck=ALIVE_S,
    )
    _allow_many_streams()
    # Even a single process has its supervisor, unlike with `python -m uvicorn`.
    supervisor = Multiprocess(config, sockets=[config.bind_socket()])
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        sys.exit(STARTUP_FAILURE)


if __name__ == "__main__":
    main()
