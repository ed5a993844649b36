import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("judging", "0003_carry_over"), ("contest", "0002_scoring_engine")]

    operations = [
        migrations.RemoveConstraint(
            model_name="benchmark",
            name="one_current_benchmark",
        ),
        migrations.RemoveField(
            model_name="benchmark",
            name="is_current",
        ),
        migrations.AddConstraint(
            model_name="benchmark",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "current")),
                fields=("round",),
                name="one_current_benchmark",
            ),
        ),
        migrations.AddConstraint(
            model_name="benchmark",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "candidate")),
                fields=("round",),
                name="one_candidate_benchmark",
            ),
        ),
        migrations.AlterField(
            model_name="scoringrun",
            name="participation",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="runs",
                to="contest.participation",
            ),
        ),
    ]
