#!/usr/bin/env python3
"""Rabta's command line: `manage.py help` lists what it can do."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["up"]:  # its options decide what the settings are
        if not {"-h", "--help"} & set(sys.argv):
            sys.stdout.write("Starting Rabta ...\n")  # at once: what follows takes seconds to be loaded
            sys.stdout.flush()
        from config.options import environment

        os.environ.update(environment(sys.argv[2:]))
    if sys.argv[1:2] == ["createchannel"]:  # Django reads any --settings as the name of a Python module
        sys.argv = [arg.replace("--settings", "--channel-settings", arg.startswith("--settings")) for arg in sys.argv]
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # a setting is missing or wrong: its sentence says which
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"manage.py: {error}")


if __name__ == "__main__":
    main()
