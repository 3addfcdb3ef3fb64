"""supervisor as `manage.py up` uses it: its configuration, generated under DATA_DIR/run, and a handle on it.

Two groups: the servers, and Rabta's own processes, whose commands are those of the Procfile. supervisor stops group by
group, all of one group at once; the limits below add up to less than ten seconds.
"""

import configparser
import contextlib
import http.client
import os
import shlex
import signal
import subprocess
import sys
import time
import xmlrpc.client
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from config import embedded, local

BASE_DIR = Path(__file__).resolve().parent.parent
STOP_SECONDS = 4  # a group gets this long before SIGKILL
LOG_BYTES = "10MB"
LOG_BACKUPS = 3


@dataclass(frozen=True)
class Program:
    """One supervised process: what runs, and how it is asked to stop."""

    name: str
    command: list[str]
    group: str
    directory: str = str(BASE_DIR)
    stop_signal: str = "TERM"
    environment: dict[str, str] = field(default_factory=dict)


WORKERS = {
    "live": {"WORKER_QUEUES": "chat,default", "WORKER_CONCURRENCY": "1"},
    "social": {"WORKER_QUEUES": "social", "WORKER_POOL": "threads", "WORKER_CONCURRENCY": "8"},
}


def procfile(path: Path = BASE_DIR / "Procfile") -> dict[str, str]:
    """The Procfile's shell commands by process name."""
    lines = [line.strip() for line in path.read_text().splitlines()]
    pairs = [line.split(":", 1) for line in lines if line and not line.startswith("#")]
    return {name.strip(): command.strip() for name, command in pairs}


def server_programs(data_dir: Path, *, postgres: bool, redis: bool) -> list[Program]:
    programs = []
    if postgres:  # INT: end sessions and stop; TERM would wait for them
        programs.append(Program("postgres", embedded.postgres_command(data_dir), "servers", "/", "INT"))
    if redis:
        programs.append(Program("redis", embedded.redis_command(data_dir), "servers", "/"))
    return programs


def app_programs(*, demo: bool) -> list[Program]:
    """Rabta's processes: those of the Procfile, two more workers, and in a demo the sandbox's mail server.

    One takes no e-mail and no platforms, so that slow mailboxes never keep a chat waiting. The other talks to platforms
    alone, in threads: most of its time it waits for one of them, and no slow one may keep the others waiting.
    """
    commands = procfile()
    rest = {"worker": {"WORKER_QUEUES": "default,email,chat,webhooks"}}
    programs = [shell_program(name, command, rest.get(name)) for name, command in commands.items()]
    for name, environment in WORKERS.items():
        programs.append(shell_program(f"worker-{name}", commands["worker"], {**environment, "WORKER_NAME": name}))
    if demo:
        programs.append(shell_program("sandbox-mail", "env RABTA_PROCESS=sandbox python manage.py sandbox_mail"))
    return programs


def shell_program(name: str, command: str, environment: dict[str, str] | None = None) -> Program:
    return Program(name, embedded.attached(["/bin/sh", "-c", f"exec {command}"]), "app", environment=environment or {})


def configuration(data_dir: Path, programs: list[Program]) -> configparser.RawConfigParser:
    """supervisord.conf for `programs`; the group `servers` starts at once, `app` when it is told to."""
    run, log = local.run_dir(data_dir), data_dir / "log"
    config = configparser.RawConfigParser()
    config["supervisord"] = {
        "nodaemon": "true",
        "silent": "true",
        "umask": "077",
        "logfile": quoted(str(log / "supervisor.log")),
        "logfile_maxbytes": LOG_BYTES,
        "logfile_backups": str(LOG_BACKUPS),
        "pidfile": quoted(str(run / "supervisor.pid")),
        "childlogdir": quoted(str(log)),
    }
    if os.geteuid() == 0:
        config["supervisord"]["user"] = "root"  # the servers step down by themselves
    config["unix_http_server"] = {"file": quoted(str(run / "supervisor.sock")), "chmod": "0700"}
    config["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    for group, priority in (("servers", 1), ("app", 2)):
        names = [program.name for program in programs if program.group == group]
        if names:
            config[f"group:{group}"] = {"programs": ",".join(names), "priority": str(priority)}
    for program in programs:
        section = {
            "command": quoted(shlex.join(program.command)),
            "directory": quoted(program.directory),
            "autostart": "true" if program.group == "servers" else "false",
            "autorestart": "true",
            "startsecs": "1",
            "startretries": "1000000",
            "stopsignal": program.stop_signal,
            "stopwaitsecs": str(STOP_SECONDS),
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": quoted(str(log / f"{program.name}.log")),
            "stdout_logfile_maxbytes": LOG_BYTES,
            "stdout_logfile_backups": str(LOG_BACKUPS),
        }
        if program.environment:
            section["environment"] = quoted(
                ",".join(f'{name}="{value}"' for name, value in program.environment.items())
            )
        config[f"program:{program.name}"] = section
    return config


def quoted(value: str) -> str:
    """supervisor expands `%(…)s` in values."""
    return value.replace("%", "%%")


def call(data_dir: Path, method: str, *arguments: object) -> Any:
    """One XML-RPC call, such as `getAllProcessInfo`, to `data_dir`'s supervisor. Raises OSError when there is none."""
    transport = SupervisorTransport(None, None, serverurl=f"unix://{local.run_dir(data_dir) / 'supervisor.sock'}")
    with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as server:
        return getattr(server.supervisor, method)(*arguments)


class Supervisor:
    """The running supervisord of one data folder."""

    def __init__(self, data_dir: Path, programs: list[Program], lock: int) -> None:
        """Start it, with its servers. It inherits `lock`, so that the folder stays locked until all of it has ended."""
        run = local.run_dir(data_dir)
        path = run / "supervisord.conf"
        with path.open("w") as file:
            configuration(data_dir, programs).write(file)
        self.data_dir = data_dir
        self.starts: dict[str, int] = {}
        binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        self.process = subprocess.Popen(
            embedded.attached([sys.executable, "-m", "supervisor.supervisord", "-c", str(path)]),
            env={**os.environ, "PATH": binaries},
            stdin=subprocess.DEVNULL,
            cwd=BASE_DIR,
            start_new_session=True,  # Ctrl-C is for `up`, which stops things in order
            pass_fds=[lock],
        )

    def start_app(self) -> None:
        call(self.data_dir, "startProcessGroup", "app", False)

    def restarted(self) -> list[str]:
        """Names of the processes that were started again since the last call; none when supervisord is gone."""
        try:
            infos = call(self.data_dir, "getAllProcessInfo")
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return []  # it is ending; whoever watches looks at its process next
        found = {info["name"]: info["start"] for info in infos if info["start"]}
        names = [name for name, start in found.items() if self.starts.get(name, start) != start]
        self.starts.update(found)
        return names

    def listens(self, name: str, port: int) -> bool:
        """Whether the process `name`, or one that it started, is who takes connections on `port` of this machine. Yes
        where the system lets nobody look.
        """
        found = []
        try:
            pid = call(self.data_dir, "getProcessInfo", f"app:{name}")["pid"]
            top = psutil.Process(pid)
            for process in [top, *top.children(recursive=True)] if pid else []:  # 0 is the kernel, on some systems
                try:
                    found += process.net_connections("tcp")
                except psutil.AccessDenied:
                    if process.status() != psutil.STATUS_ZOMBIE:
                        return True
        except (OSError, http.client.HTTPException, xmlrpc.client.Error, psutil.Error):
            return False  # it is ending, or starting again
        return any(at.status == psutil.CONN_LISTEN and at.laddr.port == port for at in found)

    def stop(self, *, seconds: float) -> bool:
        """Stop everything in order; False when it had not ended after `seconds`."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def wait_until_ready(self, *, seconds: float = 60) -> None:
        """Return once supervisord takes calls. Raises CannotStart."""
        deadline = time.monotonic() + seconds
        while True:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise embedded.CannotStart(
                    "The process supervisor did not start; see log/supervisor.log in the data folder."
                )
            with contextlib.suppress(OSError):  # not listening yet
                call(self.data_dir, "getState")
                return
            time.sleep(0.05)
