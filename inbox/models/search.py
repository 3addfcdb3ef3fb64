"""What search looks in: derived from the other tables, so that it may be thrown away and built again."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

PARTITION = 25_000  # ticket numbers in one partition of the documents; fixed by the tables that are there


class SearchDocument(models.Model):
    """One ticket as search sees it. Partitioned by ranges of ticket numbers, so that a search can go from the newest
    range back until it has enough, and costs the same for a common word as for a rare one.
    """

    number = models.BigIntegerField(primary_key=True)  # no foreign key: a document may outlive its ticket for a moment
    short = models.TextField()  # folded words of subject, people, addresses, numbers, file names: for the order of hits
    words = SearchVectorField()

    class Meta:
        indexes = (GinIndex(fields=["words"], name="search_words", fastupdate=True, gin_pending_list_limit=512),)


class SearchPerson(models.Model):
    """One customer as search sees them: folded names and addresses."""

    customer = models.BigIntegerField(primary_key=True)
    short = models.TextField()

    class Meta:
        indexes = (GinIndex(fields=["short"], name="search_people", opclasses=["gin_trgm_ops"]),)
