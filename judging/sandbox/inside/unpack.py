"""Unpacks a hostile archive; a program of its own, run inside the sandbox.

Usage: ``python unpack.py ARCHIVE FOLDER REPORT MAX_ENTRIES MAX_BYTES``. Takes zip, tar and tar.gz;
plain files and folders alone, below FOLDER alone. Writes to REPORT, as JSON, ``{"fault",
"params"}`` for what is the archive's fault, else ``{"entries", "bytes", "command"}``: the command
that a ``metadata.yaml`` (or ``metadata``) in its root declares, or null. Knows nothing of the
platform.
"""

import json
import os
import sys
import tarfile
import zipfile

CHUNK = 1 << 16
MAX_NAME = 240
METADATA = ("metadata.yaml", "metadata.yml", "metadata")


class Fault(Exception):
    def __init__(self, code, **params):
        super().__init__(code)
        self.code, self.params = code, params


def parts_of(name):
    """A member's path as parts. Raises Fault for one that would leave the folder."""
    shown = name[:100]
    if "\x00" in name or len(name) > 4 * MAX_NAME:
        raise Fault("archive_bad_name", member=shown)
    name = name.replace("\\", "/")
    if name.startswith("/") or name[1:2] == ":":
        raise Fault("archive_escapes", member=shown)
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise Fault("archive_escapes", member=shown)
    if len(parts) > 24 or any(len(part.encode()) > MAX_NAME for part in parts):
        raise Fault("archive_bad_name", member=shown)
    return parts


class Writer:
    """Writes members below a folder, counting what really comes out of the archive."""

    def __init__(self, folder, max_entries, max_bytes):
        self.folder, self.max_entries, self.max_bytes = folder, max_entries, max_bytes
        self.entries = self.bytes = 0
        self.seen = set()

    def count(self):
        self.entries += 1
        if self.entries > self.max_entries:
            raise Fault("archive_too_many", limit=self.max_entries)

    def file(self, name, source, executable=False):
        self.count()
        parts = parts_of(name)
        if not parts:
            return
        path = os.path.join(self.folder, *parts)
        if path in self.seen:
            raise Fault("archive_twice", member=name[:100])
        self.seen.add(path)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "xb") as out:
                while chunk := source.read(CHUNK):
                    self.bytes += len(chunk)
                    if self.bytes > self.max_bytes:
                        raise Fault("archive_too_large", limit=self.max_bytes >> 20)
                    out.write(chunk)
        except (FileExistsError, NotADirectoryError):
            raise Fault("archive_twice", member=name[:100]) from None
        os.chmod(path, 0o755 if executable else 0o644)

    def directory(self, name):
        self.count()
        parts = parts_of(name)
        try:
            os.makedirs(os.path.join(self.folder, *parts), exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise Fault("archive_twice", member=name[:100]) from None


def unzip(archive, writer):
    try:
        with zipfile.ZipFile(archive) as opened:
            for member in opened.infolist():
                mode = member.external_attr >> 16
                if mode and (mode & 0o170000) not in (0, 0o100000, 0o040000):
                    raise Fault("archive_special", member=member.filename[:100])
                if member.flag_bits & 1:
                    raise Fault("archive_encrypted", member=member.filename[:100])
                if member.is_dir():
                    writer.directory(member.filename)
                    continue
                with opened.open(member) as source:
                    writer.file(member.filename, source, bool(mode & 0o100))
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OSError) as error:
        raise Fault("archive_corrupt", detail=str(error)[:200]) from None


def untar(archive, writer):
    try:
        with tarfile.open(archive, "r|*") as opened:
            for member in opened:
                if member.isdir():
                    writer.directory(member.name)
                elif member.isreg():
                    writer.file(member.name, opened.extractfile(member), bool(member.mode & 0o100))
                else:
                    raise Fault("archive_special", member=member.name[:100])
    except (tarfile.TarError, EOFError, ValueError, OSError) as error:
        raise Fault("archive_corrupt", detail=str(error)[:200]) from None
    except zlib_error() as error:
        raise Fault("archive_corrupt", detail=str(error)[:200]) from None


def zlib_error():
    import lzma
    import zlib

    return (zlib.error, lzma.LZMAError)


def lift(folder):
    """Where everything lies in one folder, as archives of a folder do, that folder is the root."""
    names = [name for name in os.listdir(folder) if name not in ("__MACOSX", ".DS_Store")]
    only = os.path.join(folder, names[0]) if len(names) == 1 else ""
    if not only or not os.path.isdir(only):
        return
    for name in os.listdir(only):
        if name == names[0]:
            return
    for name in os.listdir(only):
        os.rename(os.path.join(only, name), os.path.join(folder, name))
    os.rmdir(only)


def command_of(folder):
    for name in METADATA:
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            continue
        import yaml

        try:
            with open(path, encoding="utf-8") as file:
                found = yaml.safe_load(file.read(65536))
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
            if name == "metadata":
                return None  # any file may have this name
            raise Fault("metadata_unreadable", member=name) from None
        if isinstance(found, dict) and isinstance(found.get("command"), str):
            return found["command"][:2000]
        return None
    return None


def main(archive, folder, report, max_entries, max_bytes):
    try:
        with open(archive, "rb") as file:
            start = file.read(4)
        writer = Writer(folder, int(max_entries), int(max_bytes))
        (unzip if start[:2] == b"PK" else untar)(archive, writer)
        if not writer.seen:
            raise Fault("archive_empty")
        lift(folder)
        told = {"entries": writer.entries, "bytes": writer.bytes, "command": command_of(folder)}
    except Fault as fault:
        told = {"fault": fault.code, "params": fault.params}
    with open(report, "w", encoding="utf-8") as file:
        json.dump(told, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
