"""A competition's bundle: unpacked in the sandbox, then read without trusting a name in it."""

import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile

from judging.faults import SubmissionFault, message
from judging.runners import archives
from judging.sandbox import Box, files
from judging.sandbox.inside.unpack import METADATA

BUNDLE_MB = 4096
PROGRAM_MB = 512
TEXT_LIMIT = 1 << 20
MAX_DEPTH = 30
LITTER = ("__MACOSX", ".DS_Store")
# The same folder makes the same zip, whenever it is made.
EPOCH = (1980, 1, 1, 0, 0, 0)


def wrong(place: str, text: str) -> ValidationError:
    """What is at fault and where: one sentence that names file and field."""
    return ValidationError(f"{place}: {text[:1000]}")


@contextmanager
def unpacked(path: Path, name: str, megabytes: int) -> Iterator[Path]:
    """The tree of an archive, as long as the block lasts.

    Raises ValidationError for what is no archive, holds links, leads out of it or is too large.
    """
    with Box() as box, tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "archive"
        shutil.copyfile(path, archive)
        archive.chmod(0o644)
        try:
            archives.unpack(box, archive, "/app/bundle", name, disk_mb=megabytes)
        except SubmissionFault as fault:
            raise ValidationError(message(fault.code, fault.params)) from None
        yield box.folder("/app/bundle")


class Bundle:
    """The tree of a bundle. Paths in it are those of its YAML; all raise ValidationError."""

    def __init__(self, root: Path, name: str):
        self.root, self.name = root, name

    def first_of(self, names: tuple[str, ...]) -> str:
        """The first of these files that is there."""
        for name in names:
            if (self.root / name).is_file():
                return name
        raise wrong(self.name, f"there is no {names[0]} in its root")

    def load(self, name: str) -> dict:
        """The YAML of a file as a mapping; a key that stands twice is a fault, not the last one."""
        try:
            text = self.text(name, self.name)
            root = yaml.compose(text, Loader=yaml.SafeLoader)
            _require_unique_keys(root, name)
            values = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise wrong(name, _in_words(error)) from None
        except (RecursionError, ValueError) as error:
            raise wrong(name, f"it cannot be read as YAML ({str(error)[:200]})") from None
        if not isinstance(values, dict):
            raise wrong(name, "expected a mapping of keys to values")
        return values

    def place(self, path: str, where: str) -> Path:
        """What lies at a path of the YAML."""
        parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
        if path.startswith(("/", "~")) or ".." in parts or not parts:
            raise wrong(where, f"“{path}” is no path within {self.name}")
        if not self.has(path):
            raise wrong(where, f"“{path}” is not in {self.name}")
        return self.root.joinpath(*parts)

    def has(self, path: str) -> bool:
        try:
            return (self.root / path.replace("\\", "/")).exists()
        except (OSError, ValueError):  # no file could have such a name
            return False

    def content(self, path: str, where: str, limit: int = BUNDLE_MB << 20) -> bytes:
        found = self.place(path, where)
        if not found.is_file():
            raise wrong(where, f"“{path}” is a folder; expected a file")
        try:
            return files.read_regular(self.root, str(found.relative_to(self.root)), limit)
        except files.TreeTooLarge:
            raise wrong(where, f"“{path}” is larger than {limit >> 20} MB") from None
        except files.NotARegularFile:
            raise wrong(where, f"“{path}” is no plain file") from None

    def text(self, path: str, where: str) -> str:
        try:
            return self.content(path, where, TEXT_LIMIT).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise wrong(where, f"“{path}” is not UTF-8 text") from None

    def is_empty_folder(self, path: str, where: str) -> bool:
        found = self.place(path, where)
        return found.is_dir() and not any(each.is_file() for each in found.rglob("*"))

    def archive(self, path: str, where: str) -> ContentFile:
        """A file as it is, or a folder as a zip of what lies in it."""
        found = self.place(path, where)
        if found.is_dir():
            return ContentFile(zipped(found), name=f"{found.name}.zip")
        return ContentFile(self.content(path, where), name=found.name)

    def file(self, path: str, where: str) -> ContentFile:
        found = self.place(path, where)
        return ContentFile(self.content(path, where), name=found.name)

    def program(self, path: str, where: str) -> ContentFile:
        """A program's archive, its metadata in the root.

        Codabench takes the folder that holds the metadata, whatever lies beside it.
        """
        found = self.place(path, where)
        if found.is_dir():
            return ContentFile(zipped(found / folder_of_metadata(found)), name=f"{found.name}.zip")
        if _may_need_lifting(found):
            with unpacked(found, f"{where}: {found.name}", PROGRAM_MB) as tree:
                if inner := folder_of_metadata(tree):
                    return ContentFile(zipped(tree / inner), name=found.name)
        return self.archive(path, where)


def zipped(folder: Path) -> bytes:
    """A folder's content as a zip that depends on names and contents alone."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_dir():
                info = zipfile.ZipInfo(f"{name}/", EPOCH)
                info.external_attr = (0o40755 << 16) | 0x10
                archive.writestr(info, b"")
                continue
            info = zipfile.ZipInfo(name, EPOCH)
            info.external_attr = (0o100755 if path.stat().st_mode & 0o100 else 0o100644) << 16
            archive.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED, 6)
    return out.getvalue()


def folder_of_metadata(tree: Path) -> str:
    """The one folder of a tree that holds metadata while the root holds none; empty otherwise."""
    if any((tree / name).is_file() for name in METADATA):
        return ""
    folders = [
        each.name
        for each in sorted(tree.iterdir())
        if each.name not in LITTER and any((each / name).is_file() for name in METADATA)
    ]
    return folders[0] if len(folders) == 1 else ""


def _may_need_lifting(path: Path) -> bool:
    """Whether a zip has no metadata in its root, by its list of names alone."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return False  # whoever unpacks it says so
    return not names & set(METADATA)


def _require_unique_keys(root: yaml.Node | None, name: str) -> None:
    """Raise ValidationError for a key that stands twice in one mapping, or for too deep a nest."""
    seen: set[int] = set()
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if depth > MAX_DEPTH:
            raise wrong(name, f"it is nested deeper than {MAX_DEPTH} levels")
        if isinstance(node, yaml.SequenceNode):
            waiting += [(each, depth + 1) for each in node.value]
        elif isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _value in node.value if isinstance(key, yaml.ScalarNode)]
            for key in keys:
                if keys.count(key) > 1 and key != "<<":
                    line = node.start_mark.line + 1
                    raise wrong(name, f"the key “{key}” stands twice in the mapping at line {line}")
            waiting += [(value, depth + 1) for _key, value in node.value]


def _in_words(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or "it cannot be read"
    place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"this is not YAML{place}: {problem}"
