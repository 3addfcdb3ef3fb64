from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Upper

LIVING = models.Q(merged_into__isnull=True, erased_at__isnull=True)


class Migration(migrations.Migration):
    atomic = False  # without a lock on tables that may hold millions of rows

    dependencies = [
        ("inbox", "0009_workplace_indexes"),
    ]

    operations = [
        AddIndexConcurrently(
            "customer",
            models.Index(
                models.F("last_seen_at").desc(nulls_last=True),
                models.F("id").desc(),
                name="customer_by_last_seen",
                condition=LIVING,
            ),
        ),
        AddIndexConcurrently(
            "customer", models.Index(Upper("name"), models.F("id"), name="customer_by_name", condition=LIVING)
        ),
        AddIndexConcurrently(
            "customer",
            models.Index(fields=["stage"], name="customer_stage", condition=~models.Q(("stage", "lead"))),
        ),
        AddIndexConcurrently(
            "customer",
            models.Index(fields=["language"], name="customer_language", condition=~models.Q(("language", ""))),
        ),
        AddIndexConcurrently(
            "customer", GinIndex(fields=["tags"], name="customer_tags", condition=~models.Q(("tags", [])))
        ),
        AddIndexConcurrently(
            "customer",
            GinIndex(
                fields=["attributes"],
                opclasses=["jsonb_path_ops"],
                name="customer_attributes",
                condition=~models.Q(("attributes", {})),
            ),
        ),
        AddIndexConcurrently(
            "organisation", GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="organisation_name")
        ),
    ]
