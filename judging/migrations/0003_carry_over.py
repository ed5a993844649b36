from django.db import migrations
from django.db.models import OuterRef, Subquery


def carry_over(apps, schema_editor):
    """Versions that are not in force any more, and whose team each run is of."""
    Benchmark = apps.get_model("judging", "Benchmark")
    ScoringRun = apps.get_model("judging", "ScoringRun")
    Submission = apps.get_model("contest", "Submission")
    Benchmark.objects.filter(is_current=False).update(status="retired")
    own = Submission.objects.filter(pk=OuterRef("submission_id")).values("participation_id")[:1]
    ScoringRun.objects.filter(participation=None).update(participation_id=Subquery(own))


def carry_back(apps, schema_editor):
    Benchmark = apps.get_model("judging", "Benchmark")
    Benchmark.objects.exclude(status="current").update(is_current=False)


class Migration(migrations.Migration):
    dependencies = [("judging", "0002_scoring_engine")]
    operations = [migrations.RunPython(carry_over, carry_back)]
