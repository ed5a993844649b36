"""Entries: the project a team competes with, and its documents."""

import zipfile

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from contest.errors import Refused
from contest.models import Entry, EntryFile, LogEntry, Team, User
from contest.services.rounds import tell_rankings
from contest.uploads import UploadTooLarge, safe_name, sha256_of

# What a ranking may ask of an entry.
RANKED_BY = {"repository", "licence"}
MAX_FILES = 10
MAX_FILE_BYTES = 20 * 1024 * 1024
# What a file of each kind begins with; the sender's word for its type counts for nothing.
MAGIC = {
    "pdf": (b"%PDF-",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpg": (b"\xff\xd8\xff",),
    "jpeg": (b"\xff\xd8\xff",),
    "zip": (b"PK\x03\x04",),
    "pptx": (b"PK\x03\x04",),
    "docx": (b"PK\x03\x04",),
}
# The part that makes a zip an Office document.
OFFICE_PART = {"pptx": "ppt/presentation.xml", "docx": "word/document.xml"}


@transaction.atomic
def save_entry(team: Team, by: User, **fields) -> Entry:
    """Change the team's entry. Raises ValidationError."""
    entry = Entry.objects.select_for_update().get(team=team)
    changed = [name for name, value in fields.items() if getattr(entry, name) != value]
    for name in changed:
        setattr(entry, name, fields[name])
    entry.full_clean()
    if changed:
        entry.save()
        LogEntry.write(team, "entry_edited", by=by, after=", ".join(changed))
        if RANKED_BY & set(changed):
            tell_rankings([team])
    return entry


def _require_known_type(name: str, file) -> None:
    extension = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    start = file.read(16)
    file.seek(0)
    good = extension in MAGIC and start.startswith(MAGIC[extension])
    if good and extension in OFFICE_PART:
        try:
            with zipfile.ZipFile(file) as archive:
                good = OFFICE_PART[extension] in archive.namelist()
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError):
            good = False  # however broken it is, it is no document
        file.seek(0)
    if not good:
        raise Refused(
            _("%(file)s: expected one of %(types)s, with the content that its ending says."),
            code="wrong_file_type",
            params={"file": name, "types": ", ".join(sorted(MAGIC))},
        )


def add_file(entry: Entry, file, by: User) -> EntryFile:
    """Keep a document of the entry; the same content sent again is the same document.

    Raises Refused for a wrong type, a file over 20 MB or the eleventh file.
    """
    name = safe_name(file.name)
    if file.size > MAX_FILE_BYTES:
        raise UploadTooLarge(MAX_FILE_BYTES, name)
    _require_known_type(name, file)
    digest = sha256_of(file)
    with transaction.atomic():
        Entry.objects.select_for_update().get(pk=entry.pk)
        if existing := entry.files.filter(sha256=digest).first():
            return existing
        if entry.files.count() >= MAX_FILES:
            raise Refused(
                _("An entry has at most %(count)s files."),
                code="too_many_files",
                params={"count": MAX_FILES},
            )
        kept = EntryFile(entry=entry, original_name=name, size=file.size, sha256=digest)
        kept.file.save(f"{digest}.{name.rsplit('.', 1)[-1].lower()}", file, save=True)
        LogEntry.write(entry.team, "file_added", by=by, after=name)
    return kept


@transaction.atomic
def remove_file(entry_file: EntryFile, by: User) -> None:
    """Take a document out of the entry."""
    LogEntry.write(entry_file.entry.team, "file_removed", by=by, before=entry_file.original_name)
    storage, path = entry_file.file.storage, entry_file.file.name
    entry_file.delete()
    transaction.on_commit(lambda: storage.delete(path))
