"""The pictures that people have on their platforms: drawn by their name, so that nobody keeps any."""

from __future__ import annotations

import struct
import zlib
from typing import Any

from sandbox.phones import core, files
from sandbox.phones.models import Account, Media, Person, Platform
from sandbox.phones.telegram_shapes import FILE_KINDS, file_object

SIDE = 160  # pixels, as the small form of Telegram's pictures has
SKINS = ((241, 207, 175), (222, 177, 140), (188, 138, 98), (141, 94, 63))
CLOTHES = ((47, 93, 140), (134, 62, 92), (60, 120, 90), (176, 108, 40), (88, 80, 150), (40, 110, 125))
WALLS = ((206, 222, 236), (236, 218, 206), (214, 232, 212), (230, 214, 234), (238, 232, 204))
HAIR = ((38, 28, 24), (84, 56, 36), (20, 20, 24), (120, 110, 104))


def draw(name: str) -> bytes:
    """A face before a wall, as PNG (PNG 1.2, indexed colours); the same name, the same face."""
    seed = zlib.crc32(name.encode())
    chosen = [shades[(seed >> 5 * place) % len(shades)] for place, shades in enumerate((WALLS, CLOTHES, HAIR, SKINS))]
    rows = b"".join(b"\0" + bytes(_colour(x, y) for x in range(SIDE)) for y in range(SIDE))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", bytes(value for shade in chosen for value in shade)),
            _chunk(b"IDAT", zlib.compress(rows, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _colour(x: int, y: int) -> int:
    """The place in the palette of this pixel: shoulders, face, hair, wall."""

    def within(left: int, top: int, width: int, height: int) -> bool:
        return ((x - left) / width) ** 2 + ((y - top) / height) ** 2 <= 1

    if within(80, 176, 66, 58):
        return 1
    if within(80, 78, 32, 40):
        return 3 if y > 58 else 2
    return 2 if within(80, 66, 38, 42) else 0


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def give(person: Person) -> Person:
    """Let somebody have a picture where their platform shows one."""
    if person.account.platform in {Platform.TELEGRAM, Platform.FACEBOOK, Platform.INSTAGRAM}:
        wear(person, draw(person.name), "image/png")
    return person


def wear(person: Person, content: bytes, content_type: str) -> None:
    """Let somebody have this picture from now on."""
    if person.account.platform == Platform.TELEGRAM:
        media = core.keep(person.account, content, content_type, "me.png", prefix=FILE_KINDS["photo"])
    else:
        media = files.keep(person.account, content, content_type, days=10_000)
    person.attributes["photo"] = media.external_id
    person.save(update_fields=["attributes"])


def media_of(account: Account, person: Person) -> Media | None:
    return Media.objects.filter(account=account, external_id=person.attributes.get("photo", "")).first()


def url_of(person: Person) -> str | None:
    """Where Meta says that somebody's picture is, for some days; None for who has none."""
    media = media_of(person.account, person)
    return files.url_of(media) if media is not None else None


def sizes_of(account: Account, person: Person) -> list[list[dict[str, Any]]]:
    """The pictures of somebody as Telegram's `UserProfilePhotos` has them: each a list of its forms, square."""
    media = media_of(account, person)
    return [[{**file_object("photo", media), "width": SIDE, "height": SIDE}]] if media is not None else []
