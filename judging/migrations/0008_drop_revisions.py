from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("judging", "0007_judging_record")]

    operations = [
        migrations.AddConstraint(
            model_name="criterion",
            constraint=models.UniqueConstraint(
                fields=("rubric", "code"),
                name="criterion_code_once",
                violation_error_message="The rubric already has this criterion.",
            ),
        ),
        migrations.DeleteModel(
            name="MarkRevision",
        ),
    ]
