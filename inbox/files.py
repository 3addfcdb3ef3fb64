"""Bytes in Django storage, addressed by their content: written twice they are stored once.

Whatever is wrong with the storage (a full disk, a bucket out of reach) is a `StoreAway`: it passes, and what needs it
is tried again; it says nothing about the bytes.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from datetime import timedelta
from pathlib import Path

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, default_storage
from django.utils import timezone

PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp"}  # raster only: an SVG can carry scripts
PLAYED = {"audio/ogg", "audio/mpeg", "audio/mp4", "video/mp4"}  # in the page, by the browser's own controls
KEEP = timedelta(days=1)  # a file this young may belong to a row that is being written


class StoreAway(OSError):
    """The storage of files does not work at present."""


class DurableFileSystemStorage(FileSystemStorage):
    """Files that are whole or absent: written beside, then renamed into place.

    Receipts and uploads are synced too, for nothing else holds them; attachments of mail can be made again from its
    receipt and are spared the wait.
    """

    def _save(self, name: str, content: File[bytes]) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        durable = name.startswith(("receipts/", "uploads/"))
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=".part-")
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            Path(part).chmod(self.file_permissions_mode or 0o640)
            Path(part).replace(path)
            if durable:
                _sync_folder(path.parent)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
        return name

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Names are digests: what stands under this one already is the same, or a torn copy to be replaced."""
        return name

    def touch(self, name: str) -> None:
        """Somebody uses this file again: it is young from now on."""
        os.utime(self.path(name))


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def picture_type(content: bytes) -> str:
    """The content type of a raster picture by its first bytes, whatever it calls itself; empty for anything else."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return "image/webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else ""


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put(folder: str, content: bytes) -> tuple[str, str]:
    """Store bytes below `folder`; returns their name in storage and their SHA-256 in hex. Raises StoreAway."""
    digest = digest_of(content)
    name = f"{folder}/{digest[:2]}/{digest[2:4]}/{digest}"
    try:
        if not (default_storage.exists(name) and default_storage.size(name) == len(content)):
            return default_storage.save(name, ContentFile(content)), digest
        if isinstance(default_storage, DurableFileSystemStorage):
            default_storage.touch(name)
    except Exception as error:
        raise StoreAway(f"Files cannot be stored: {error}") from error
    return name, digest


def get(name: str, most: int = -1) -> bytes:
    """The bytes stored under `name`, the first `most` of them or all.

    Raises FileNotFoundError when they are gone, StoreAway when none can be read.
    """
    if not name:
        raise FileNotFoundError("erased")
    try:
        with default_storage.open(name) as file:
            return bytes(file.read(most))
    except FileNotFoundError:
        raise
    except Exception as error:
        raise StoreAway(f"Files cannot be read: {error}") from error


def forget(name: str) -> None:
    """Delete a file that no row holds, unless it is so young that a row may be on its way."""
    if default_storage.exists(name) and default_storage.get_modified_time(name) < timezone.now() - KEEP:
        default_storage.delete(name)


def erase(name: str) -> None:
    """Delete a file at once, however young: what is erased must be gone, even if somebody sends the same bytes now."""
    if default_storage.exists(name):
        default_storage.delete(name)
