"""The tables that search looks in. They are new and empty, so that no index needs to be built concurrently.

A partition and its indexes are made as in inbox/search/partitions.py, which makes all further ones.
"""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

DOCUMENTS = """
CREATE TABLE inbox_searchdocument (
    number bigint NOT NULL PRIMARY KEY,
    short text NOT NULL,
    words tsvector NOT NULL
) PARTITION BY RANGE (number);
CREATE INDEX search_words ON inbox_searchdocument USING gin (words) WITH (fastupdate = on, gin_pending_list_limit = 512);
CREATE TABLE inbox_searchdocument_0 PARTITION OF inbox_searchdocument FOR VALUES FROM (0) TO (25000);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('inbox', '0002_a_log_begins_below_zero'),
    ]

    operations = [
        TrigramExtension(),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(DOCUMENTS, "DROP TABLE inbox_searchdocument"),
            ],
            state_operations=[
                migrations.CreateModel(
                    name='SearchDocument',
                    fields=[
                        ('number', models.BigIntegerField(primary_key=True, serialize=False)),
                        ('short', models.TextField()),
                        ('words', django.contrib.postgres.search.SearchVectorField()),
                    ],
                    options={
                        'indexes': [
                            django.contrib.postgres.indexes.GinIndex(
                                fastupdate=True, gin_pending_list_limit=512, fields=['words'], name='search_words'
                            ),
                        ],
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name='SearchPerson',
            fields=[
                ('customer', models.BigIntegerField(primary_key=True, serialize=False)),
                ('short', models.TextField()),
            ],
            options={
                'indexes': [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=['short'], name='search_people', opclasses=['gin_trgm_ops']
                    ),
                ],
            },
        ),
    ]
