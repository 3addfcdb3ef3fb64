"""Pictures of customers: asked for now and then, kept as files of our own, and shown where their mark stands.

A customer shows the picture that came last of all their addresses. What a platform does not tell, or cannot give at
present, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from inbox import files
from inbox.models import Customer, Identity, Picture
from lib.pictures import size_of

MOST_BYTES = 1024 * 1024
MOST_SIDE = 4096  # pixels: a small file can unfold to a picture that no browser has room for
FRESH = timedelta(days=7)  # before somebody who writes is asked for again
AGAIN = timedelta(hours=1)  # where that came to nothing


def is_due(asked: str = "picture__") -> Q:
    """Of identities (or, with "", of pictures): whether their platform may be asked now."""
    due = Q(**{f"{asked}due_at__lte": timezone.now()})
    return due | Q(picture__isnull=True) if asked else due


def claim(identity: int) -> bool:
    """Whether this picture is due, and nobody else is asking for it; for an hour from now on nobody else does."""
    Picture.objects.bulk_create([Picture(identity_id=identity)], ignore_conflicts=True)
    mine = Picture.objects.filter(is_due(""), identity=identity)
    return mine.update(due_at=timezone.now() + AGAIN) == 1


def told(sources: Mapping[int, str]) -> None:
    """Somebody says where the pictures of these identities (ids) are; another place than before is asked at once."""
    if not sources:
        return
    known = dict(Picture.objects.filter(identity__in=sources).values_list("identity", "source"))
    now = timezone.now()
    new = [Picture(identity_id=pk, source=url, due_at=now) for pk, url in sources.items() if pk not in known]
    Picture.objects.bulk_create(new, ignore_conflicts=True)
    for pk, url in sorted(sources.items()):
        if known.get(pk, url) != url:
            Picture.objects.filter(identity=pk).update(source=url, due_at=now)


def source_of(identity: Identity) -> str:
    """Where somebody said that its picture is; empty where nobody did."""
    return Picture.objects.filter(identity=identity).values_list("source", flat=True).first() or ""


def take(identity: Identity, content: bytes | None) -> bool:
    """Keep the picture that somebody has on their platform now, or (None) that they have none. True where it is another
    one: then tell the screens (`customers.announce`).

    What is no JPEG, PNG, WebP or GIF, or too large, is left out, and the one before stays. Raises files.StoreAway.
    """
    if content is not None and not is_fit(content):
        return False
    stored = files.put("pictures", content)[0] if content is not None else ""
    with transaction.atomic():
        # The customer first, as merges and erasures lock them: what was erased meanwhile stays without.
        owner = Customer.objects.select_for_update(no_key=True, of=("self",)).filter(identities=identity).first()
        active = Identity.objects.active().filter(pk=identity.pk, customer=owner).exists()
        if owner is None or owner.erased_at is not None or not active:
            _delete_later({stored})
            return False
        row = Picture.objects.select_for_update().filter(identity=identity).first() or Picture(identity=identity)
        before, now = row.stored, timezone.now()
        row.due_at = now + FRESH
        if before != stored:
            row.stored, row.changed_at = stored, now
        row.save()
        if before == stored:
            return False
        show([owner.pk])
        _delete_later({before})
    return True


def show(whose: Iterable[int]) -> None:
    """Let these customers (ids) show the newest picture of their addresses; after these have changed hands, too."""
    theirs = Picture.objects.filter(identity__customer=OuterRef("pk"), identity__retired_at__isnull=True)
    newest = theirs.exclude(stored="").order_by(F("changed_at").desc(nulls_last=True), "-pk").values("stored")[:1]
    Customer.objects.filter(pk__in=list(whose)).update(picture=Coalesce(Subquery(newest), Value("")))


def kept(customer: Customer) -> QuerySet[Picture]:
    """The pictures that are kept of this customer: one an address of theirs, not only the newest, which is shown."""
    theirs = Picture.objects.filter(identity__customer=customer, identity__retired_at__isnull=True)
    return theirs.exclude(stored="").order_by("pk")


def forget(whose: Iterable[int]) -> set[str]:
    """Inside an erasure: no picture of these customers (ids) is kept; returns the names of the files."""
    theirs = Picture.objects.filter(identity__customer__in=list(whose))
    stored = set(theirs.values_list("stored", flat=True))
    theirs.delete()
    return stored - {""}


def held(names: Iterable[str]) -> set[str]:
    """Those of these files that are somebody's picture."""
    found = {name for name in names if name.startswith("pictures/")}
    return set(Picture.objects.filter(stored__in=found).values_list("stored", flat=True)) if found else set()


def is_fit(content: bytes) -> bool:
    """Whether these bytes are a picture that can be shown small beside a name."""
    width, height = size_of(content)
    return len(content) <= MOST_BYTES and 0 < width <= MOST_SIDE and 0 < height <= MOST_SIDE


def _delete_later(names: set[str]) -> None:
    """Once this is committed, delete the files that are nobody's any more."""

    def delete_now() -> None:
        for name in names - {""} - held(names):
            files.erase(name)

    transaction.on_commit(delete_now, robust=True)
