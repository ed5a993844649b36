"""Looks at a container image before an engine does; a program of its own, run inside the sandbox.

Usage: ``python check_image.py IMAGE REPORT MAX_BYTES``. IMAGE is what ``docker save`` or ``podman
save`` writes, a tar or tar.gz. REPORT gets JSON: ``{"images", "bytes"}``, or ``{"fault",
"params"}``. Layers that are compressed are counted unpacked, so that no small file fills a disk.
"""

import gzip
import json
import sys
import tarfile
import zlib

CHUNK = 1 << 20


class Fault(Exception):
    def __init__(self, code, **params):
        super().__init__(code)
        self.code, self.params = code, params


class Counted:
    """Counts what is read of a layer, unpacked where it is compressed."""

    def __init__(self, limit):
        self.total, self.limit = 0, limit

    def count(self, source):
        start = source.read(2)
        opened = source
        if start == b"\x1f\x8b":
            source.seek(0)
            opened = gzip.GzipFile(fileobj=source)
        else:
            self.total += len(start)
        while chunk := opened.read(CHUNK):
            self.total += len(chunk)
            if self.total > self.limit:
                raise Fault("archive_too_large", limit=self.limit >> 20)


def look(path, limit):
    images, counted = None, Counted(limit)
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                if not member.isreg():
                    continue
                if member.name == "manifest.json" and member.size < CHUNK:
                    images = json.load(archive.extractfile(member))
                else:
                    counted.count(archive.extractfile(member))
    except (tarfile.TarError, EOFError, OSError, ValueError, zlib.error) as error:
        raise Fault("not_an_image", detail=str(error)[:200]) from None
    if not isinstance(images, list) or len(images) != 1:
        found = len(images) if isinstance(images, list) else 0
        raise Fault("not_an_image", detail=f"expected one image, found {found}")
    return {"images": 1, "bytes": counted.total}


def main(path, report, limit):
    try:
        told = look(path, int(limit))
    except Fault as fault:
        told = {"fault": fault.code, "params": fault.params}
    with open(report, "w", encoding="utf-8") as file:
        json.dump(told, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
