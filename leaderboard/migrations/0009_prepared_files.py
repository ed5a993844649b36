import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import leaderboard.models.prepared


class Migration(migrations.Migration):
    dependencies = [
        ("contest", "0005_boards_for_teams"),
        ("leaderboard", "0008_scheme_terms"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PreparedFile",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("document", models.CharField(max_length=20, verbose_name="document")),
                ("fmt", models.CharField(max_length=10, verbose_name="file format")),
                ("language", models.CharField(max_length=10, verbose_name="language")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "waits its turn"),
                            ("preparing", "is being prepared"),
                            ("ready", "ready"),
                            ("failed", "could not be prepared"),
                        ],
                        default="waiting",
                        editable=False,
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                (
                    "fault",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("failed", "It could not be written. The operator’s log says why."),
                            ("lost", "The worker that prepared it was stopped."),
                            (
                                "no_worker",
                                "No worker has taken it. Ask the operator whether workers run.",
                            ),
                            ("empty", "There is nothing in it any more."),
                            ("gone", "The file is no longer in the store."),
                        ],
                        max_length=10,
                        verbose_name="fault",
                    ),
                ),
                (
                    "inputs",
                    models.CharField(
                        blank=True, max_length=64, verbose_name="digest of the inputs"
                    ),
                ),
                (
                    "asked_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="asked for"
                    ),
                ),
                ("started_at", models.DateTimeField(blank=True, null=True, verbose_name="begun")),
                (
                    "heartbeat_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="last sign of life"),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                ("done", models.PositiveIntegerField(default=0, verbose_name="written")),
                (
                    "total",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="to be written"
                    ),
                ),
                (
                    "file",
                    models.FileField(
                        default=leaderboard.models.prepared.unguessable_path,
                        max_length=200,
                        upload_to="",
                        verbose_name="file",
                    ),
                ),
                (
                    "size",
                    models.PositiveBigIntegerField(
                        blank=True, null=True, verbose_name="size (bytes)"
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="asked for by",
                    ),
                ),
                (
                    "round",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="prepared_files",
                        to="contest.round",
                        verbose_name="round",
                    ),
                ),
            ],
            options={
                "verbose_name": "prepared download",
                "verbose_name_plural": "prepared downloads",
                "ordering": ["-asked_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ("waiting", "preparing"))),
                        fields=("round", "document", "fmt", "language"),
                        name="one_preparation",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "preparing")),
                        fields=("status",),
                        name="one_at_a_time",
                    ),
                ],
            },
        ),
    ]
