"""Bytes in Django storage, addressed by their content: written twice they are stored once."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, default_storage


class DurableFileSystemStorage(FileSystemStorage):
    """Files that are whole or absent: written beside, then renamed into place.

    Raw receipts are synced too, for nothing else holds them once the sender was told 250; attachments can be made
    again from their receipt and are spared the wait.
    """

    def _save(self, name: str, content: File[bytes]) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=".part-")
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                if name.startswith("receipts/"):
                    os.fsync(file.fileno())
            Path(part).chmod(self.file_permissions_mode or 0o640)
            Path(part).replace(path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
        return name.replace("\\", "/")


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put(folder: str, content: bytes) -> tuple[str, str]:
    """Store bytes below `folder`; returns their name in storage and their SHA-256 in hex."""
    digest = digest_of(content)
    name = f"{folder}/{digest[:2]}/{digest[2:4]}/{digest}"
    if not default_storage.exists(name):
        name = default_storage.save(name, ContentFile(content))
    return name, digest


def get(name: str) -> bytes:
    """The bytes stored under `name`. Raises FileNotFoundError (or the storage's own error) when they are gone."""
    with default_storage.open(name) as file:
        return bytes(file.read())
