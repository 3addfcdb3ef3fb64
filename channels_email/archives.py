"""Mails in files: single ones, Maildirs, folders of `*.eml`."""

from collections.abc import Iterator
from pathlib import Path


def mails(path: Path) -> Iterator[Path]:
    """The mails at `path`, in a fixed order. Raises FileNotFoundError or, for no mails there, ValueError."""
    if path.is_file():
        yield path
        return
    if not path.exists():
        raise FileNotFoundError(path)
    found = sorted(one for folder in _maildirs(path) for one in folder.iterdir() if one.is_file())
    found += sorted(one for one in path.rglob("*.eml") if one.is_file() and one not in set(found))
    if not found:
        raise ValueError(f"{path}: neither a Maildir nor a folder with *.eml")
    yield from found


def _maildirs(path: Path) -> list[Path]:
    """`new` and `cur` of a Maildir and of the Maildir++ folders in it."""
    boxes = [path, *sorted(one for one in path.glob(".*") if one.is_dir())]
    return [box / name for box in boxes if (box / "cur").is_dir() for name in ("new", "cur") if (box / name).is_dir()]
