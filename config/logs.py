"""Logging: one JSON object a line in production, lines for people under `manage.py up`. All of it goes to stdout."""

import re
from typing import Any

import structlog

SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def without_noise(logger: Any, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """One line a request (its end), without its query; and uvicorn's lines without their copy in colour."""
    if event.get("event") == "request_started":
        raise structlog.DropEvent
    event.pop("color_message", None)
    if request := event.get("request"):  # a line of ours, or the request itself with an error of Django
        line = request if isinstance(request, str) else f"{request.method} {request.path}"
        event["request"] = line.split("?", 1)[0]  # what people search for
    return event


_TOKEN = re.compile(
    r"""((?<![\w./%-])(?:https?://[^/\s"'<>]+)?/(?:hooks/[^/?\s"'<>\\]+|chat|files|survey|invitation|welcome|accounts/password/reset/key)/)
        [^/?\s"'<>\\]+(/(?:files|faces)/[^/?\s"'<>\\]+)?""",
    re.VERBOSE,
)


_EMULATED = re.compile(r"""(/sandbox/phones/(?:telegram|twilio|graph)/)[^?\s"']+""")  # all of it may be somebody's


def without_tokens(logger: Any, method: str, line: str) -> str:
    """The finished line, without the tokens that some paths carry: wherever it names them, tracebacks included."""
    return _EMULATED.sub(r"\1…", _TOKEN.sub(lambda found: f"{found[1]}…{found[2] and '/…' or ''}", line))


def configuration(style: str, level: str) -> dict[str, Any]:
    """The LOGGING setting; `style` is json or console, `level` a level's name. Also configures structlog itself."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            without_noise,
            *SHARED[:-2],
            SHARED[-1],
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderers: list[structlog.typing.Processor] = (
        # Plain: where `rich` is installed, structlog would print every local variable, cookies and letters included.
        [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
        if style == "console"
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    without_noise,
                    *renderers,
                    without_tokens,
                ],
            }
        },
        "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "lines"}},
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            "django": {"handlers": [], "propagate": True, "level": level},
            "django.request": {"level": "ERROR"},  # below that, django_structlog has said it
            "django.server": {"handlers": [], "propagate": True, "level": level},
            "uvicorn": {"handlers": [], "propagate": True, "level": level},
            "uvicorn.error": {"handlers": [], "propagate": True, "level": level},
            "uvicorn.access": {"handlers": [], "propagate": False},  # django_structlog says more
            "celery": {"level": level},
            # A line for each wake-up says nothing; failures are logged apart.
            "celery.app.trace": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
        },
    }
