"""Compiled translations (.mo) are made from the .po files on the spot, without gettext's programs."""

from pathlib import Path

import polib


def compile_translations(*folders: Path) -> list[Path]:
    """Compile every .po file below `folders` whose .mo file is missing or older; returns the .mo files written."""
    written = []
    for folder in folders:
        for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
            target = source.with_suffix(".mo")
            if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
                continue
            unfinished = target.with_suffix(".mo.tmp")
            polib.pofile(str(source)).save_as_mofile(str(unfinished))
            unfinished.replace(target)
            written.append(target)
    return written
