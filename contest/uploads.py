"""Guards for uploaded files, before anything parses them."""

import hashlib
from pathlib import PurePath

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused


class UploadTooLarge(Refused):
    def __init__(self, limit_bytes: int, name: str = ""):
        super().__init__(
            _("%(file)s: the file is larger than the limit of %(limit)s MB."),
            code="file_too_large",
            params={"file": name or _("Upload"), "limit": limit_bytes // (1024 * 1024)},
        )


class LimitedUploadHandler(FileUploadHandler):
    """Stop reading a request body once a file in it passes settings.MAX_UPLOAD_BYTES.

    Sets ``request.upload_too_large`` to the file's name; views turn it into a clear error through
    ``require_upload``.
    """

    def new_file(self, *args, **kwargs):
        super().new_file(*args, **kwargs)
        self._received = 0

    def receive_data_chunk(self, raw_data, start):
        self._received += len(raw_data)
        if self._received > settings.MAX_UPLOAD_BYTES:
            self.request.upload_too_large = self.file_name
            raise StopUpload(connection_reset=False)
        return raw_data

    def file_complete(self, file_size):
        return None


def safe_name(name: str, limit: int = 150) -> str:
    """The last part of a sender's file name, without control characters, for display only."""
    name = PurePath(name.replace("\\", "/")).name
    name = "".join(char for char in name if char.isprintable())[-limit:]
    # File systems count bytes: at most 255 of them, whatever the script.
    while len(name.encode("utf-8", "replace")) > 250:
        name = name[1:]
    return name or "file"


def sha256_of(file) -> str:
    """Hex digest of a Django file; the file is read from and left at its start."""
    digest = hashlib.sha256()
    file.seek(0)
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
