from django.db import migrations, models
from django.utils.crypto import salted_hmac


def seal(apps, schema_editor):
    """Records that were kept before; by the rule of Record.seal_now."""
    for record in apps.get_model("judging", "Record").objects.exclude(length=0):
        ends = f"{record.round_id} {record.length} {record.head}"
        record.seal = salted_hmac("judging record", ends, algorithm="sha256").hexdigest()
        record.save(update_fields=["seal"])


class Migration(migrations.Migration):
    dependencies = [
        ("judging", "0009_rubrics_kind_label"),
    ]

    operations = [
        migrations.AddField(
            model_name="record",
            name="seal",
            field=models.CharField(blank=True, editable=False, max_length=64, verbose_name="seal"),
        ),
        migrations.AlterField(
            model_name="recordentry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("mark", "mark"),
                    ("comment", "comment to the team"),
                    ("note", "private note"),
                    ("submitted", "sheet submitted"),
                    ("returned", "sheet returned"),
                    ("released", "judge released from a team"),
                    ("recused", "conflict of interest declared"),
                    ("recusal_lifted", "conflict of interest lifted"),
                    ("draw", "running order drawn"),
                    ("rubric", "version of the rubric put in force"),
                    ("criteria", "rubric that marks are given by"),
                    ("tie", "tie decided by the chair"),
                    ("tie_dropped", "chair's decision taken back"),
                    ("readmitted", "judge readmitted to a team"),
                    ("signed", "ranking signed off"),
                    ("revoked", "signature revoked"),
                ],
                max_length=20,
                verbose_name="kind",
            ),
        ),
        migrations.RunPython(seal, migrations.RunPython.noop),
    ]
