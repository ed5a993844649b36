"""Two worker hosts on one Redis, PostgreSQL and object store; the network of one is cut.

The hosts are network namespaces of this machine, so it needs root and iproute2. With servers of its
own, so it runs once: in the pass on SQLite.
"""

import json
import os
import shutil
import subprocess
import time

import pytest

from tests.stack.conftest import object_store
from tests.stack.scored import COMPARE, FILL, Scored, terminate
from tests.stack.servers import Servers, kill_tree

pytestmark = [
    pytest.mark.stack,
    pytest.mark.long,
    pytest.mark.xdist_group("hosts"),
    pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="runs in the other pass"),
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("ip") is None, reason="needs root and iproute2"
    ),
]
SUBMISSIONS = 120
HERE = "10.77.0.1"


def ip(*arguments: str, check=True) -> None:
    subprocess.run(["ip", *arguments], check=check, capture_output=True)


@pytest.fixture
def hosts():
    """Two namespaces, each at the end of a wire to a bridge where this machine is 10.77.0.1."""
    names = [f"wz{os.getpid() % 10000}{letter}" for letter in "ab"]
    bridge = f"wz{os.getpid() % 10000}br"

    def remove():
        for name in names:
            ip("netns", "delete", name, check=False)
            ip("link", "delete", f"{name}0", check=False)
        ip("link", "delete", bridge, check=False)

    remove()
    try:
        ip("link", "add", bridge, "type", "bridge")
        ip("address", "add", f"{HERE}/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        for n, name in enumerate(names, start=2):
            ip("netns", "add", name)
            ip("link", "add", f"{name}0", "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("link", "set", f"{name}0", "master", bridge)
            ip("link", "set", f"{name}0", "up")
            ip("-n", name, "address", "add", f"10.77.0.{n}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield names
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no network namespaces here: {error.stderr}")
    finally:
        remove()


def test_one_of_two_hosts_is_cut_off_and_nothing_is_lost(hosts, tmp_path, record_property):
    servers = Servers(HERE)
    with object_store(HERE) as store:
        scored = Scored(servers, tmp_path, **store)
        try:
            scored.manage("migrate", "--verbosity", "0")
            scored.manage("shell", script=FILL.format(count=SUBMISSIONS))
            beat = scored.beat()
            workers = [
                scored.worker(name, prefix=("ip", "netns", "exec", name, "unshare", "--uts", "sh",
                                            "-c", f'hostname {name}; exec "$@"', "sh"))
                for name in hosts
            ]  # fmt: skip
            share = (
                "select worker from judging_scoringrun where status = 'succeeded' "
                "and worker like '{}:%'"
            )
            scored.wait(
                lambda c: all(len(scored.ask(share.format(name))) >= 10 for name in hosts), 120
            )
            scored.wait(
                lambda c: scored.ask(
                    "select 1 from judging_scoringrun where status = 'running' "
                    f"and worker like '{hosts[0]}:%'"
                ), 30,
            )  # fmt: skip
            ip("link", "set", f"{hosts[0]}0", "down")
            cut_at = time.monotonic()
            scored.wait(lambda c: c["succeeded"] == SUBMISSIONS, 180)
            took = time.monotonic() - cut_at
            # Back in the net, the host that was cut off finds its late results dropped.
            ip("link", "set", f"{hosts[0]}0", "up")
            time.sleep(6)
            by_host = {name: len(scored.ask(share.format(name))) for name in hosts}
            assert sum(by_host.values()) == SUBMISSIONS
            lost = scored.ask("select count(*) from judging_scoringrun where status = 'failed'")
            assert lost[0][0] >= 1, "the cut hit a run"
            terminate(workers[1])
            for process in (*workers, beat):
                kill_tree(process.pid)
            told = scored.manage("shell", script=COMPARE)
            compared = json.loads(told.split("RESULT", 1)[1])
            assert compared == {"compared": SUBMISSIONS, "different": 0}
            record_property(
                "story",
                (
                    "cut off",
                    f"two hosts, {SUBMISSIONS} submissions, one host cut off: "
                    f"{by_host[hosts[0]]} + {by_host[hosts[1]]} results, {lost[0][0]} runs were "
                    f"tried again, all done {took:.0f} s after the cut",
                ),
            )
        finally:
            scored.stop()
            servers.stop()
