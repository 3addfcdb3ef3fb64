"""Static files under hashed names: whole, compressed, made once, and loaded by the pages."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from config import assets, local
from inbox import context

JS = "inbox/js"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("data") / "static"
    assert assets.collect(made)
    return made


def test_they_are_made_once(folder: Path) -> None:
    assert local.has_static_files(folder)
    assert not assets.collect(folder)
    (folder / assets.STAMP).write_text("of something else")
    assert assets.collect(folder)
    (folder / "staticfiles.json").write_text("")  # a power cut
    assert assets.collect(folder)


def test_they_are_compressed(folder: Path) -> None:
    assert len(list((folder / "inbox/css").glob("*.css.gz"))) > 3


def test_pages_have_one_style_sheet_of_all(folder: Path) -> None:
    [made] = (folder / "inbox").glob("style.????????????.css")
    style = made.read_text()
    for name in (*context.STYLE_SHEETS, "channels_chat/css/chat.css"):
        (source,) = settings.BASE_DIR.glob(f"*/static/{name}")
        assert source.read_text() in style
    assert "url(" not in style  # would be looked for beside it


def test_modules_import_one_another_by_hashed_names(folder: Path) -> None:
    """Otherwise a module would be loaded twice under two names, and once out of an old cache."""
    seen = 0
    for module in (folder / JS).glob("*.????????????.js"):
        for name in re.findall(r"""(?:from|import)\s*\(?["'](\.[^"']+)["']""", module.read_text()):
            assert re.search(r"\.[0-9a-f]{12}\.js$", name), (module.name, name)
            assert (module.parent / name).is_file()
            seen += 1
    assert seen > 5


def test_pages_name_them_only_where_they_were_made(folder: Path) -> None:
    script = (
        "import django; django.setup()\n"
        "from django.templatetags.static import static\n"
        "from inbox.context import SCRIPTS, STYLE\n"
        "for name in [*SCRIPTS, STYLE, 'inbox/icons.svg', 'inbox/favicon.svg']: print(static(name))\n"
    )

    def addresses(data_dir: Path) -> list[str]:
        environment = {**os.environ, "DATA_DIR": str(data_dir)}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    hashed = addresses(folder.parent)
    assert all((folder / name.removeprefix("/static/")).is_file() for name in hashed)
    assert all(re.search(r"\.[0-9a-f]{12}\.\w+$", name) for name in hashed)
    assert "/static/inbox/icons.svg" in addresses(folder.parent / "elsewhere")
