"""Static files under names that carry a hash of their content, compressed, in DATA_DIR/static.

`collect` makes them: `manage.py up` calls it at each start, deployments call `manage.py collectstatic`. Where nobody
did (tests, development), files are served from where they lie in the tree.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder, find, get_finders
from django.contrib.staticfiles.management.commands.collectstatic import Command as Collect
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command
from whitenoise.storage import CompressedManifestStaticFilesStorage

from config import local
from inbox import context, icons

ICONS = "inbox/icons.svg"
OWN = ("api", "channels_chat", "inbox", "reports", "sandbox")
# Django's own patterns for modules want a semicolon after each import.
MODULES = (
    (r"""(?P<matched>\bfrom\s*["'](?P<url>\.[^"'\n]*)["'])""", 'from "%(url)s"'),
    (r"""(?P<matched>\bimport\s*["'](?P<url>\.[^"'\n]*)["'])""", 'import "%(url)s"'),
    (r"""(?P<matched>\bimport\(\s*["'](?P<url>\.[^"'\n]*)["']\s*\))""", 'import("%(url)s")'),
)
UNUSED = [
    "*.map",
    "rest_framework",
    "redoc",
    "material-icons*",
    "overrides.css",
    "configurable.js",
    "default.js",
]  # no page of ours asks for them, and they are most of the bytes
STAMP = ".made-of"  # beside the files: a digest of what they were made of


class Storage(CompressedManifestStaticFilesStorage):
    """Hashed names in templates, style sheets, and in what our ES modules import from one another.

    Vendors' scripts are left as they are: some name modules that only a bundler would find.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        *((f"{app}/*.js", MODULES) for app in OWN),
    )

    def hashed_name(self, name: str, content: object = None, filename: str | None = None) -> str:
        """The name with its hash. Source maps that a vendor's file names but does not bring keep their own."""
        try:
            return str(super().hashed_name(name, content, filename))
        except ValueError:
            if name.endswith(".map"):
                return name
            raise


def style() -> str:
    """All style sheets of the pages, one behind the other: one request instead of thirty."""
    found = [(name, find(name)) for name in context.STYLE_SHEETS]
    return "".join(f"/* {name} */\n{Path(str(path)).read_text()}\n" for name, path in found)


MADE = {ICONS: icons.sprite, context.STYLE: style}


class MadeFinder(BaseFinder):
    """What is made of other files, into DATA_DIR/generated, when it is first asked for: the sprite of icons, drawn from
    its package, and the pages' one style sheet.
    """

    def __init__(self, app_names: object = None, *args: object, **kwargs: object) -> None:
        self.storage = FileSystemStorage(location=settings.DATA_DIR / "generated")

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if path not in MADE:
            return []
        found = str(self._made(path))
        return [found] if find_all else found

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, FileSystemStorage]]:
        for name in MADE:
            self._made(name)
            yield name, self.storage

    def _made(self, name: str) -> Path:
        path, content = Path(self.storage.path(name)), MADE[name]()
        if not path.is_file() or path.read_text() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f"{path.name}.{os.getpid()}")
            fresh.write_text(content)
            fresh.replace(path)
        return path


def fingerprint() -> str:
    """A digest over the names, sizes and times of all static files: what `collect` would work on."""
    lines = []
    for finder in get_finders():
        for path, storage in finder.list([]):
            found = Path(storage.path(path)).stat()
            lines.append(f"{path} {found.st_size} {found.st_mtime_ns}")
    source = Path(__file__).read_bytes()
    return hashlib.sha256("\n".join(sorted(lines)).encode() + source).hexdigest()


def collect(folder: Path) -> bool:
    """Make `folder` hold all static files, hashed and compressed; False when it already did.

    They are made beside it and moved into place, so that a power cut leaves the old ones or the new.
    """
    wanted = fingerprint()
    stamp = folder / STAMP
    if stamp.is_file() and stamp.read_text() == wanted and local.has_static_files(folder):
        return False
    unfinished = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    command = Collect()
    command.storage = Storage(location=unfinished, file_permissions_mode=0o644, directory_permissions_mode=0o755)
    call_command(command, interactive=False, verbosity=0, ignore_patterns=UNUSED)
    (unfinished / STAMP).write_text(wanted)
    os.sync()
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
    return True
