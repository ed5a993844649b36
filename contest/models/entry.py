from django.db import models
from django.utils.translation import gettext_lazy as _

from contest.bilingual import Bilingual, require_one_language


class Entry(models.Model):
    """The project a team enters with."""

    team = models.OneToOneField(
        "contest.Team", models.CASCADE, related_name="entry", verbose_name=_("team")
    )
    title_zh = models.CharField(_("title (Chinese)"), max_length=200, blank=True)
    title_en = models.CharField(_("title (English)"), max_length=200, blank=True)
    abstract_zh = models.TextField(_("abstract (Chinese)"), max_length=5000, blank=True)
    abstract_en = models.TextField(_("abstract (English)"), max_length=5000, blank=True)
    repository = models.URLField(_("source repository"), blank=True, max_length=300)
    licence = models.CharField(
        _("licence"),
        max_length=60,
        blank=True,
        help_text=_("SPDX identifier, such as Apache-2.0 or MulanPSL-2.0."),
    )
    base_model = models.CharField(_("base model"), max_length=200, blank=True)
    demo_url = models.URLField(_("demo"), blank=True, max_length=300)
    video_url = models.URLField(_("video"), blank=True, max_length=300)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    title = Bilingual("title")
    abstract = Bilingual("abstract")

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")

    def __str__(self) -> str:
        return self.title

    def clean(self):
        super().clean()
        require_one_language(self, "title")


class EntryFile(models.Model):
    """A document that comes with an entry: slides, a paper, a poster."""

    entry = models.ForeignKey(Entry, models.CASCADE, related_name="files", verbose_name=_("entry"))
    file = models.FileField(_("file"), upload_to="entries/%Y/%m/")
    original_name = models.CharField(_("file name"), max_length=200)
    size = models.PositiveBigIntegerField(_("size (bytes)"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    uploaded_at = models.DateTimeField(_("uploaded"), auto_now_add=True)

    class Meta:
        ordering = ["uploaded_at"]
        verbose_name = _("file of an entry")
        verbose_name_plural = _("files of entries")

    def __str__(self) -> str:
        return self.original_name
