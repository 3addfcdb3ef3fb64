"""`manage.py up` for real: it stays up whatever is killed, and ends when it is told to."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.conftest import CHROMIUM
from tests.config.houses import other
from tests.instance import Instance, kill, until

__all__ = ["other"]

pytestmark = [pytest.mark.servers, pytest.mark.timeout(400)]
PROGRAMS = {"postgres", "redis", "web", "worker", "worker-live", "worker-social", "beat", "mail", "sandbox-mail"}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    instance = Instance(tmp_path_factory.mktemp("up") / "data").start()
    yield instance
    instance.stop(signal.SIGKILL)
    until(lambda: not instance.leftovers(), "nothing runs any more")


def test_it_says_where_things_are_and_that_this_is_a_demo(up: Instance) -> None:
    assert up.output.startswith("Starting Rabta ...\n")
    assert f"Rabta is at http://localhost:{up.port}/" in up.output
    assert f"\n  curl --url smtp://127.0.0.1:{up.smtp_port} --mail-from" in up.output
    assert "This is a demo, not production" in up.output
    assert "trusts every process" in up.output
    assert up.answers()


def test_mail_by_the_line_that_it_prints_becomes_a_ticket(up: Instance) -> None:
    [line] = re.findall(r"^  (curl .*)$", up.output, re.MULTILINE)
    subprocess.run(["bash", "-c", line], check=True, capture_output=True, timeout=60)
    headers = {"Authorization": f"Bearer {up.manage('createtoken', 'sana@karvaan.example', '--scope', 'read').strip()}"}
    customers = Request(f"{up.url}/api/v1/customers/?identity=you@example.com", headers=headers)
    until(lambda: json.load(urlopen(customers))["results"], "the customer is there")
    [customer] = json.load(urlopen(customers))["results"]
    [found] = json.load(urlopen(Request(f"{up.url}/api/v1/tickets/?customer={customer['id']}", headers=headers)))[
        "results"
    ]
    assert found["subject"] == "Hello"


def test_every_process_runs(up: Instance) -> None:
    assert set(up.programs()) == PROGRAMS


@pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed: apt install chromium")
def test_the_inbox_loads_whole_from_hashed_files(up: Instance) -> None:
    found = re.search(r"^ +(\S+@\S+) +(\S+) +\(", up.output, re.MULTILINE)
    assert found, up.output
    bad: list[str] = []
    loaded: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: bad.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: bad.append(str(error)))
        page.on(
            "response", lambda answer: bad.append(answer.url) if answer.status >= 400 else loaded.append(answer.url)
        )
        page.goto(f"{up.url}/accounts/login/")
        page.fill("#id_login", found[1])
        page.fill("#id_password", found[2])
        page.click("button[type=submit]")
        page.wait_for_load_state("networkidle")
        page.locator('[id^="row-"]').first.click()
        page.wait_for_load_state("networkidle")
        modules = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
        page.goto(f"{up.url}/api/docs/")
        page.wait_for_load_state("networkidle")
        browser.close()
    assert bad == []
    own = {name for name in [*loaded, *modules] if "/static/inbox/" in name}
    assert len(own) > 15
    assert [name for name in own if not re.search(r"\.[0-9a-f]{12}\.\w+(#.*)?$", name)] == []
    headers = urlopen(next(name for name in own if name.endswith(".js"))).headers
    assert "immutable" in headers["Cache-Control"]


def test_the_same_data_is_not_run_twice(up: Instance) -> None:
    second = up.run_again()
    assert second.returncode == 1
    assert "already runs" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_busy_port_is_said_before_anything_starts(up: Instance, tmp_path: Path) -> None:
    other = Instance(tmp_path / "data", port=up.port)
    second = other.run_again()
    assert second.returncode == 1
    assert f"Port {up.port}" in second.stderr
    assert "in use" in second.stderr
    assert not (other.data_dir / "postgres").exists()


def test_another_data_folder_runs_beside_it(up: Instance, other: Instance) -> None:
    other.start()
    try:
        assert other.answers()
        assert up.answers()
    finally:
        assert other.stop(signal.SIGINT) == 0
    assert not other.leftovers()


def test_whatever_is_killed_comes_back(up: Instance) -> None:
    before = up.programs()
    kill(before.values())

    def all_are_back() -> bool:
        now = up.programs()
        return set(now) == PROGRAMS and all(now[name] != before[name] for name in PROGRAMS) and up.answers()

    until(all_are_back, "all processes are back", seconds=90)
    until(lambda: "web had ended and was started again" in up.output, "it says so")
