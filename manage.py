#!/usr/bin/env python3
"""Rabta's command line: `manage.py help` lists what it can do."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["up"]:  # its options decide what the settings are
        from config.options import environment

        os.environ.update(environment(sys.argv[2:]))
    if sys.argv[1:2] == ["createchannel"]:  # Django reads any --settings as the name of a Python module
        sys.argv = [arg.replace("--settings", "--channel-settings", arg.startswith("--settings")) for arg in sys.argv]
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
