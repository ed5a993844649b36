"""What hostile submissions try, as programs; each prints GOT before whatever it got hold of."""

HEAD = """
import os, sys, socket, signal, time, ctypes, glob
def got(what):
    print("GOT", str(what)[:200], flush=True)
def attempt(action, *args):
    try:
        got((getattr(action, "__name__", action), args, action(*args)))
    except BaseException as error:
        print("no:", type(error).__name__, error, flush=True)
def read(path):
    with open(path, "rb") as file:
        return file.read(200)
"""

READ_SHADOW = """
for path in ("/etc/shadow", "/etc/passwd", "/root/.profile", "/root/.ssh/id_rsa", "/etc/hostname"):
    attempt(read, path)
"""

READ_SETTINGS = """
for path in PATHS:
    attempt(read, path)
for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "DATA_DIR", "DJANGO_SETTINGS_MODULE"):
    if name in os.environ:
        got((name, os.environ[name]))
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        if MARK in read(path):
            got(path)
    except OSError:
        pass
"""

FIND_MARK = """
for top, folders, names in os.walk("/"):
    if top.startswith(("/proc", "/sys", "/usr", "/lib", "/bin", "/sbin", PREFIX)):
        folders[:] = []
        continue
    for name in names:
        path = os.path.join(top, name)
        try:
            if os.path.isfile(path) and MARK in open(path, "rb").read(1 << 20):
                got(path)
        except OSError:
            pass
print("searched")
"""

LOOPBACK = """
for address in (("127.0.0.1", PORT), ("10.0.0.1", 80), ("8.8.8.8", 53)):
    attempt(lambda: socket.create_connection(address, timeout=2))
attempt(lambda: socket.socket(socket.AF_UNIX).connect("\\0" + ABSTRACT))
"""

FORK_BOMB = """
count = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        count += 1
        if count > LIMIT:
            got(f"{count} processes")
            break
except OSError as error:
    print("no:", error, count, flush=True)
"""

TEN_GIGABYTES = """
def ten():
    block = bytearray(10 << 30)
    return len(block)
attempt(ten)
hold = []
while True:
    hold.append(bytearray(os.urandom(1 << 20)) * 16)
"""

MEMORY_OF_MANY = """
for n in range(40):
    if os.fork() == 0:
        hold = bytearray(os.urandom(1 << 20)) * 100
        time.sleep(30)
        os._exit(0)
time.sleep(30)
"""

ENDLESS = "while True: pass"
SLEEP = "time.sleep(3600)"

PRINT_GIGABYTE = """
line = b"x" * 65536
for n in range(1 << 14):
    os.write(1, line)
got("a gigabyte printed")
"""

FILL_DISK = """
for n in range(100):
    with open(f"/app/output/f{n}", "wb") as file:
        for k in range(64):
            file.write(bytes(1 << 20))
got("6 GB written")
"""

UNLINKED = """
held = []
for n in range(8):
    file = open(f"/app/output/f{n}", "w+b")
    os.unlink(f"/app/output/f{n}")
    for k in range(40):
        file.write(bytes(1 << 20))
    held.append(file)
time.sleep(1)
got("320 MB of files that have no names")
"""

SHUT_FOLDER = """
os.mkdir("/app/output/shut")
with open("/app/output/shut/file", "wb") as file:
    for k in range(90):
        file.write(bytes(1 << 20))
os.chmod("/app/output/shut", 0o300)
time.sleep(1)
"""

MEMORY_OF_NOBODY = """
libc = ctypes.CDLL(None, use_errno=True)
attempt(lambda: os.memfd_create("hoard"))
if libc.syscall(447, 0) >= 0: got("secret memory")
if libc.shmget(0, 1 << 20, 0o1666) >= 0: got("a System V segment")
import mmap
hold = mmap.mmap(-1, 900 << 20)
for n in range(0, 900 << 20, 4096):
    hold[n] = 1
time.sleep(1)
got("900 MB of shared memory")
"""

MANY_FILES = """
for n in range(1_000_000):
    open(f"/app/output/f{n}", "w").close()
got("a million files")
"""

SYMLINK_OUT = """
os.symlink(TARGET, "/app/output/predictions.csv")
print("linked")
"""

HARD_LINK_OUT = """
for source in ("/usr/bin/env", "/app/input_data/inputs.csv", "/proc/self/exe"):
    attempt(os.link, source, "/app/output/predictions.csv")
"""

DEVICES = """
import stat
attempt(os.mknod, "/app/output/sda", stat.S_IFBLK | 0o666, os.makedev(8, 0))
attempt(os.mknod, "/tmp/mem", stat.S_IFCHR | 0o666, os.makedev(1, 1))
for path in ("/dev/mem", "/dev/kmsg", "/dev/sda", "/dev/vda", "/dev/fuse", "/dev/kvm"):
    attempt(read, path)
attempt(lambda: open("/dev/shm/../x", "w"))
"""

KILL_PARENT = """
for pid in (1, os.getppid(), -1):
    try:
        print("killed", pid, os.kill(pid, signal.SIGKILL), flush=True)
    except OSError as error:
        print("no:", error, flush=True)
time.sleep(0.2)
os.killpg(os.getpgid(0), signal.SIGKILL)
"""

LEAVE_BEHIND = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in range(3):
            os.close(fd)
        os.execv("/bin/sleep", [MARK.decode(), "3600"])
    os._exit(0)
time.sleep(0.3)
open("/dev/shm/left", "wb").write(MARK)
open("/tmp/left", "wb").write(MARK)
os.makedirs("/app/output/shut/inner")
open("/app/output/shut/inner/file", "wb").write(MARK)
os.chmod("/app/output/shut/inner", 0)
os.chmod("/app/output/shut", 0)
print("left", flush=True)
os.chdir("/app/output")
try:
    for n in range(3000):
        os.mkdir("d")
        os.chdir("d")
except OSError as error:
    print("no:", error)
"""

WRITE_SYSTEM = """
for path in ("/usr/bin/x", "/bin/x", "/app/program/main.py", "/app/input_data/inputs.csv", "/x",
             "/etc/x", "/dev/x", "/proc/sys/kernel/hostname", "/app/x"):
    attempt(lambda: open(path, "w").close() or path)
"""

BECOME_ROOT = """
attempt(lambda: os.setuid(0) or "root")
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x10000000) == 0: got("a user namespace")
if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0: got("a mount")
if libc.chroot(b"/tmp") == 0: got("a chroot")
if libc.ptrace(16, 1, 0, 0) == 0: got("ptrace")
if libc.syscall(321, 0, 0, 0) >= 0: got("bpf")
if libc.syscall(250, 0, 0, 0) >= 0: got("a keyring")
for line in open("/proc/self/status"):
    if line.startswith(("CapEff", "CapPrm", "CapBnd")) and int(line.split()[1], 16):
        got(line)
    if line.startswith("NoNewPrivs") and line.split()[1] != "1":
        got(line)
print("uid", os.getuid(), flush=True)
if os.getuid() == 0: got("uid 0")
"""
