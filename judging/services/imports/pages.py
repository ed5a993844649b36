"""The description of an event, put together from the pages of a bundle."""

from judging.services.imports.bundle import Bundle
from judging.services.imports.report import Report
from judging.services.imports.texts import plain


class Pages:
    """Parts with a title each, in the order in which they come."""

    def __init__(self, bundle: Bundle, report: Report):
        self.bundle, self.report = bundle, report
        self.parts: list[str] = []

    def add(self, title: str, text: str, *, once: bool = False, name: str = "text.md") -> None:
        """Add a text of the YAML; HTML in it becomes plain text, too."""
        cleaned, lost = plain(text, name)
        if not cleaned:
            return
        part = f"{title}\n\n{cleaned}" if title else cleaned
        if once and part in self.parts:
            return
        self.parts.append(part)
        for what, count in lost.items():
            self.report.leave(title or name, f"{count} × {what}: descriptions are plain text")

    def add_file(self, title: str, path: str, where: str) -> None:
        """Add a page of the bundle. Raises ValidationError."""
        text = self.bundle.text(path, where)
        if not text.strip():
            self.report.adapt(title or path, f"“{path}” is empty")
            return
        self.add(title or path, text, name=path)

    def text(self) -> str:
        return "\n\n".join(self.parts)
