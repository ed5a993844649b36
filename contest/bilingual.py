"""Texts that organizers and teams give in Chinese, in English, or in both.

Each such text is two plain columns, ``name_zh`` and ``name_en``, so that the database can search
and sort them; reading ``name`` gives the reader's language, or the other one where it is empty.
"""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Bilingual:
    """Read-only attribute that picks ``<field>_zh`` or ``<field>_en`` by the active language."""

    def __init__(self, field: str):
        self.columns = (f"{field}_zh", f"{field}_en")

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        zh, en = (getattr(instance, column) for column in self.columns)
        chinese = (get_language() or "").startswith("zh")
        return (zh or en) if chinese else (en or zh)


def require_one_language(instance, field: str) -> None:
    """Raise ValidationError on both columns if neither language was given."""
    zh, en = f"{field}_zh", f"{field}_en"
    if not (getattr(instance, zh) or "").strip() and not (getattr(instance, en) or "").strip():
        message = _("Give this in Chinese, in English, or in both.")
        raise ValidationError({zh: message, en: message})


class Named(models.Model):
    """A thing with a name in one or both languages."""

    name_zh = models.CharField(_("name (Chinese)"), max_length=200, blank=True)
    name_en = models.CharField(_("name (English)"), max_length=200, blank=True)

    name = Bilingual("name")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    def clean(self):
        super().clean()
        require_one_language(self, "name")
