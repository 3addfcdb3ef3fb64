"""All settings of Rabta, read from the environment; `docs/settings.md` lists them with their defaults.

Nothing else in the tree reads `os.environ`. An unset DATABASE_URL or REDIS_URL means the embedded server that
`manage.py up` runs under DATA_DIR; then SECRET_KEY and ENCRYPTION_KEYS are made and kept there too.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config import local, logs, mail


def flag(name: str, default: bool) -> bool:
    """An environment variable as yes or no; anything but 1, true, yes and on is no."""
    value = os.environ.get(name)
    return default if value is None else value.strip().lower() in {"1", "true", "yes", "on"}


def listed(name: str, default: str = "") -> list[str]:
    """A comma-separated environment variable as a list without blanks."""
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def proxies(value: str) -> int:
    """A number; or a flag, where on means one."""
    value = value.strip().lower()
    return int(value) if value.isdigit() else int(value in {"true", "yes", "on"})


BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("DATA_DIR", BASE_DIR / ".data")).resolve()
DEBUG = flag("DEBUG", False)
DEMO = flag("DEMO", False)  # `up` sets it for its demo organisation: opens /sandbox/, permits private networks

# Servers -----------------------------------------------------------------------------------------------------------
DATABASE_URL = os.environ.get("DATABASE_URL", "")
REDIS_URL = os.environ.get("REDIS_URL", "")
EMBEDDED_POSTGRES = not DATABASE_URL
EMBEDDED_REDIS = not REDIS_URL
if EMBEDDED_POSTGRES:
    DATABASE_URL = local.postgres_url(DATA_DIR)
if EMBEDDED_REDIS:
    REDIS_URL = local.redis_url(DATA_DIR)

PROCESS = os.environ.get("RABTA_PROCESS", "")  # web, worker, beat or mail: set by the Procfile
DATABASES = {"default": dj_database_url.parse(DATABASE_URL)}
DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"
if PROCESS == "web":
    DATABASES["default"]["ENGINE"] = "config.postgres"
    # Pool in web only: Celery forks, and a pool opened before the fork would be shared by its children.
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
        "min_size": 2,
        "max_size": int(os.environ.get("DB_POOL_SIZE", "10")),
        "timeout": 5,
        "reconnect_timeout": 3,  # then a request tries anew; waits would grow to minutes, and outlast the outage
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True  # a restarted PostgreSQL costs nobody a request

# Secrets -----------------------------------------------------------------------------------------------------------
SECRET_KEY = os.environ.get("SECRET_KEY", "")
ENCRYPTION_KEYS = listed("ENCRYPTION_KEYS")  # newest first; older ones stay readable
if not SECRET_KEY or not ENCRYPTION_KEYS:
    if not EMBEDDED_POSTGRES:
        raise ImproperlyConfigured(
            "Set SECRET_KEY and ENCRYPTION_KEYS: with DATABASE_URL set, none are made (docs/settings.md says how to; "
            "for a database that was in use before, those of then)."
        )
    kept = local.secrets(DATA_DIR)
    SECRET_KEY = SECRET_KEY or kept["SECRET_KEY"]
    ENCRYPTION_KEYS = ENCRYPTION_KEYS or kept["ENCRYPTION_KEYS"]

# Addresses ---------------------------------------------------------------------------------------------------------
HOST = os.environ.get("HOST", "127.0.0.1")  # who else shall reach the pages needs a proxy, or 0.0.0.0
PORT = int(os.environ.get("PORT", "8000"))
SMTP_IN_HOST = os.environ.get("SMTP_IN_HOST", "127.0.0.1")
SMTP_IN_PORT = int(os.environ.get("SMTP_IN_PORT", "2525"))
LMTP_IN_PORT = int(os.environ.get("LMTP_IN_PORT", "0"))  # 0: no LMTP listener
SMTP_IN_MAX_BYTES = int(os.environ.get("SMTP_IN_MAX_BYTES", str(50 * 1024 * 1024)))
SMTP_IN_TLS_CERT = os.environ.get("SMTP_IN_TLS_CERT", "")
SMTP_IN_TLS_KEY = os.environ.get("SMTP_IN_TLS_KEY", "")
SANDBOX_SMTP_PORT = int(os.environ.get("SANDBOX_SMTP_PORT", "2526"))
TRUST_PROXY = proxies(os.environ.get("TRUST_PROXY", ""))  # how many of our own stand between the web and us
BASE_URL = os.environ.get("BASE_URL", f"http://localhost:{PORT}").rstrip("/")
ALLOWED_HOSTS = listed("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = listed("CSRF_TRUSTED_ORIGINS", BASE_URL)
ALLOW_PRIVATE_NETWORKS = flag("ALLOW_PRIVATE_NETWORKS", DEMO)
DNS_SERVER = os.environ.get("DNS_SERVER", "")  # asked about sending domains in place of the system's resolver

# Organisation ------------------------------------------------------------------------------------------------------
ORGANISATION_NAME = os.environ.get("ORGANISATION_NAME", "Rabta")
AFTER_REPLY_STATUS = os.environ.get("AFTER_REPLY_STATUS", "pending")  # open, pending or solved
UNDO_SEND_SECONDS = int(os.environ.get("UNDO_SEND_SECONDS", "10"))  # how long a mail from the screen can be undone
METRICS_TOKEN = os.environ.get("METRICS_TOKEN", "")  # lets others than this machine read /metrics
WEBHOOK_DAYS = int(os.environ.get("WEBHOOK_DAYS", "30"))  # how long deliveries to webhooks are kept
TRASH_DAYS = int(os.environ.get("TRASH_DAYS", "30"))  # until what lies in the trash is erased for good; 0: never
RECEIPT_DAYS = int(os.environ.get("RECEIPT_DAYS", "90"))  # how long raw receipts are kept once they are taken in
CHAT_DAYS = int(os.environ.get("CHAT_DAYS", "90"))  # how long visits of a site are remembered; 0: for ever
JOB_DAYS = int(os.environ.get("JOB_DAYS", "14"))  # how long changes of many tickets are remembered
EXPORT_DAYS = int(os.environ.get("EXPORT_DAYS", "3"))  # how long a file that somebody exported can be fetched
# Requests a minute: reads and writes of a token, wrong tokens from an address. 0 is no limit.
API_RATE_READ = int(os.environ.get("API_RATE_READ", "1200"))
API_RATE_WRITE = int(os.environ.get("API_RATE_WRITE", "600"))
API_RATE_FAILED = int(os.environ.get("API_RATE_FAILED", "60"))
INTAKE_LEASE_SECONDS = int(os.environ.get("INTAKE_LEASE_SECONDS", "120"))  # a claimed receipt is free again after this
DELIVERY_LEASE_SECONDS = int(os.environ.get("DELIVERY_LEASE_SECONDS", "120"))  # and a message whose worker died

# Mailboxes by OAuth ------------------------------------------------------------------------------------------------
GOOGLE_CLIENT_ID = os.environ.get("GOOGLE_CLIENT_ID", "")
GOOGLE_CLIENT_SECRET = os.environ.get("GOOGLE_CLIENT_SECRET", "")
GOOGLE_CONSENT_URL = os.environ.get("GOOGLE_CONSENT_URL", "https://accounts.google.com").rstrip("/")
GOOGLE_TOKEN_URL = os.environ.get("GOOGLE_TOKEN_URL", "https://oauth2.googleapis.com").rstrip("/")
MICROSOFT_CLIENT_ID = os.environ.get("MICROSOFT_CLIENT_ID", "")
MICROSOFT_CLIENT_SECRET = os.environ.get("MICROSOFT_CLIENT_SECRET", "")
MICROSOFT_TENANT = os.environ.get("MICROSOFT_TENANT", "common")
MICROSOFT_LOGIN_URL = os.environ.get("MICROSOFT_LOGIN_URL", "https://login.microsoftonline.com").rstrip("/")

# Messengers and social networks ------------------------------------------------------------------------------------
# Where platforms are: a proxy or an emulator can stand in. A channel may name a server of its own.
TELEGRAM_API_URL = os.environ.get("TELEGRAM_API_URL", "https://api.telegram.org").rstrip("/")
GRAPH_API_URL = os.environ.get("GRAPH_API_URL", "https://graph.facebook.com").rstrip("/")
GRAPH_API_VERSION = os.environ.get("GRAPH_API_VERSION", "v26.0")
INSTAGRAM_API_URL = os.environ.get("INSTAGRAM_API_URL", "https://graph.instagram.com").rstrip("/")
TWILIO_API_URL = os.environ.get("TWILIO_API_URL", "https://api.twilio.com").rstrip("/")
MEDIA_MAX_MB = int(os.environ.get("MEDIA_MAX_MB", "50"))  # of one file that customers send by a messenger

# Django ------------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "config",
    "inbox",
    "channels_email",
    "channels_chat",
    "channels_social",
    "reports",
    "api",
    "sandbox",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "channels",
    "django_htmx",
    "django_prose_editor",
    "django_prometheus",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "template_partials",
    "csp",
    "django_structlog",
]

MIDDLEWARE = [
    "inbox.middleware.HooksMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "channels_chat.middleware.ForEverybodyMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "inbox.middleware.AgentPreferencesMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "inbox.middleware.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "inbox" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "csp.context_processors.nonce",
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "inbox.context.shell",
            ],
        },
    }
]

# People ------------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "inbox.Agent"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "inbox.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"
# An office behind one address may log in at nine in the morning; guessing stays slow (key: an account at one address).
# Whoever is refused is told to come back in a minute, or in five: no limit here may last longer.
ACCOUNT_RATE_LIMITS = {
    "login": "120/m/ip",
    "login_failed": "30/m/ip,5/5m/key",
    "reset_password": "20/m/ip,3/m/key",
    "reset_password_from_key": "20/m/ip",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
}
LIMITS = {
    "push-test": "10/m/user",
    "invite": "60/h/user",
    "accept": "30/m/ip",
    "link": "10/h/user",
    "survey": "60/m/ip",
}  # those of Rabta's own pages

ALLAUTH_TRUSTED_PROXY_COUNT = TRUST_PROXY
INVITATION_DAYS = 7

# Second factor -----------------------------------------------------------------------------------------------------
REQUIRE_MFA = os.environ.get("REQUIRE_MFA", "none").strip().lower()  # none, admins or all
if REQUIRE_MFA not in {"none", "admins", "all"}:
    raise ImproperlyConfigured("REQUIRE_MFA is none, admins or all.")
MFA_ADAPTER = "inbox.accounts.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1  # a phone's clock may be half a minute off
MFA_FORMS = {
    "activate_totp": "inbox.second_factor_forms.SetUpForm",
    "authenticate": "inbox.second_factor_forms.CodeForm",
    "reauthenticate": "inbox.second_factor_forms.ConfirmForm",
    "add_webauthn": "inbox.second_factor_forms.PasskeyForm",
    "login_webauthn": "inbox.second_factor_forms.LogInPasskeyForm",
    "authenticate_webauthn": "inbox.second_factor_forms.SecondPasskeyForm",
    "reauthenticate_webauthn": "inbox.second_factor_forms.ConfirmPasskeyForm",
}
MFA_RATE_LIMITS = {"webauthn_login": "60/m/ip"}

# Log-in elsewhere (OpenID Connect) ---------------------------------------------------------------------------------
OIDC_ISSUER = os.environ.get("OIDC_ISSUER", "").rstrip("/")
OIDC_CLIENT_ID = os.environ.get("OIDC_CLIENT_ID", "")
OIDC_CLIENT_SECRET = os.environ.get("OIDC_CLIENT_SECRET", "")
OIDC_NAME = os.environ.get("OIDC_NAME", "") or (urlsplit(OIDC_ISSUER).hostname or "")
OIDC_AUTO_CREATE_ROLE = os.environ.get("OIDC_AUTO_CREATE_ROLE", "")
OIDC_VERIFIED_DOMAINS = [one.lower() for one in listed("OIDC_VERIFIED_DOMAINS")]
OIDC_ONLY = flag("OIDC_ONLY", False)
if OIDC_ISSUER and not OIDC_CLIENT_ID:
    raise ImproperlyConfigured("OIDC_ISSUER is set: set OIDC_CLIENT_ID (and usually OIDC_CLIENT_SECRET), too.")
if OIDC_ONLY and not OIDC_ISSUER:
    raise ImproperlyConfigured("OIDC_ONLY without OIDC_ISSUER would lock everybody out.")
if OIDC_AUTO_CREATE_ROLE not in {"", "light", "agent", "manager", "admin"}:
    raise ImproperlyConfigured("OIDC_AUTO_CREATE_ROLE is light, agent, manager or admin.")
SOCIALACCOUNT_LOGIN_ON_GET = True  # a form may not lead to another site, by our Content-Security-Policy
SOCIALACCOUNT_ADAPTER = "inbox.oidc.Adapter"
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"provider_class": "inbox.oidc.Provider"}}

# System mail: invitations, forgotten passwords -----------------------------------------------------------------------
EMAIL_URL = os.environ.get("EMAIL_URL", "")  # smtp://user:password@host:587; empty: the first channel that can send
if EMAIL_URL:
    locals().update(mail.settings_of(EMAIL_URL))
else:
    EMAIL_BACKEND = "channels_email.system.Backend"
DEFAULT_FROM_EMAIL = os.environ.get("EMAIL_FROM", "") or f"rabta@{urlsplit(BASE_URL).hostname}"

# Language and time -------------------------------------------------------------------------------------------------
LANGUAGE_CODE = os.environ.get("LANGUAGE", "en") if os.environ.get("LANGUAGE", "en") in {"en", "ur"} else "en"
LANGUAGES = [("en", _("English")), ("ur", _("Urdu"))]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
FORMAT_MODULE_PATH = "config.formats"
TIME_ZONE = os.environ.get("TIME_ZONE", "UTC")
USE_TZ = True

# Files -------------------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "config.assets.MadeFinder",
]
HASHED_STATIC = not DEBUG and local.has_static_files(STATIC_ROOT)  # `up` and `collectstatic` make them
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not HASHED_STATIC  # files may change while they are served
WHITENOISE_MAX_AGE = 60 if HASHED_STATIC else 0  # seconds; names with a hash are kept for ever
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_STORAGE = os.environ.get("MEDIA_STORAGE", "")  # empty: files below DATA_DIR; s3://BUCKET: django-storages
STORAGES = {
    "default": (
        {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {"bucket_name": MEDIA_STORAGE.removeprefix("s3://")}}
        if MEDIA_STORAGE.startswith("s3://")
        else {"BACKEND": "inbox.files.DurableFileSystemStorage"}
    ),
    "staticfiles": {
        "BACKEND": (
            "config.assets.Storage" if HASHED_STATIC else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 30 * 1024 * 1024  # a request's body apart from its files
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # larger files go through a temporary file
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700

# Live updates and background work ----------------------------------------------------------------------------------
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # What is published is heard in all databases of a Redis, also by another Rabta there.
        "CONFIG": {"hosts": [REDIS_URL], "prefix": f"rabta{local.redis_database(REDIS_URL)}"},
    }
}
CACHES = {"default": {"BACKEND": "config.cache.RedisOrMemory", "LOCATION": REDIS_URL, "KEY_PREFIX": "rabta"}}
CELERY_BROKER_URL = local.broker_url(os.environ.get("BROKER_URL", REDIS_URL))
# A click must not wait for a broker that is away: one short retry, then the sweep finds the row.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,  # seconds until a dead worker's task runs again; tasks are short, sweeps are quicker
    "socket_connect_timeout": 1,
    "socket_timeout": 1 if PROCESS == "web" else 5,  # a worker waits up to 1 s for a task in one read
    "max_retries": 1,
    "interval_start": 0.1,
    "interval_step": 0.1,
    "interval_max": 0.2,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1, "interval_step": 0.1, "interval_max": 0.2}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # workers and beat wait for the broker for ever
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "channels_email.*": {"queue": "email"},
    "channels_social.*": {"queue": "social"},
    "channels_chat.tasks.transcripts": {"queue": "email"},  # a slow mail server keeps no chat waiting
    "channels_chat.*": {"queue": "chat"},
    "sandbox.*": {"queue": "social"},
    "api.tasks.deliver_webhooks": {"queue": "webhooks"},  # slow receivers of other people's keep nothing else waiting
}
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"  # in memory: nothing on disk that a power cut could break
CELERY_BEAT_SCHEDULE = {
    # A wake-up that waited longer than its own period is worth nothing: the next one does the same.
    "sweep": {"task": "inbox.tasks.sweep", "schedule": 5.0, "options": {"expires": 5}},
    "follow the log": {"task": "inbox.tasks.follow_log", "schedule": 1.0, "options": {"expires": 1}},
    "push": {"task": "inbox.tasks.push", "schedule": 30.0, "options": {"expires": 30}},
    "chats": {"task": "channels_chat.tasks.tend", "schedule": 2.0, "options": {"expires": 2}},
    "chats by e-mail": {"task": "channels_chat.tasks.transcripts", "schedule": 30.0, "options": {"expires": 30}},
    "handle time": {"task": "reports.handling.tasks.refresh", "schedule": 15.0, "options": {"expires": 15}},
    "digests": {"task": "inbox.tasks.digest", "schedule": 300.0, "options": {"expires": 300}},
    "weekly figures": {"task": "reports.tasks.weekly", "schedule": 300.0, "options": {"expires": 300}},
    "old files of revenue": {"task": "reports.tasks.expire", "schedule": 1800.0, "options": {"expires": 1800}},
    "ask surveys": {"task": "reports.surveys.ask", "schedule": 15.0, "options": {"expires": 15}},
    "plan surveys": {"task": "reports.surveys.plan", "schedule": 1800.0, "options": {"expires": 1800}},
    "poll channels": {"task": "inbox.tasks.poll_channels", "schedule": 15.0, "options": {"expires": 15}},
    "who reads and writes": {
        "task": "channels_social.tasks.look_at_activity",
        "schedule": 4.0,
        "options": {"expires": 4},
    },
    "look after channels": {"task": "inbox.tasks.tend_channels", "schedule": 30.0, "options": {"expires": 30}},
    "count mailboxes": {
        "task": "channels_email.tasks.every_night",
        "schedule": crontab(hour="2", minute="7"),
        "options": {"expires": 3600},
    },
    "go on counting": {"task": "channels_email.tasks.audits_go_on", "schedule": 10.0, "options": {"expires": 10}},
    "prune": {"task": "inbox.tasks.prune", "schedule": crontab(hour="3", minute="17"), "options": {"expires": 3600}},
    "deliver webhooks": {"task": "api.tasks.deliver_webhooks", "schedule": 5.0, "options": {"expires": 5}},
    "prune visits": {
        "task": "channels_chat.tasks.prune",
        "schedule": crontab(hour="3", minute="47"),
        "options": {"expires": 3600},
    },
    "prune webhooks": {
        "task": "api.tasks.prune_webhooks",
        "schedule": crontab(hour="3", minute="37"),
        "options": {"expires": 3600},
    },
    "prune idempotency keys": {
        "task": "api.tasks.prune_idempotency_keys",
        "schedule": crontab(hour="3", minute="47"),
        "options": {"expires": 3600},
    },
}

if DEMO or DEBUG:
    CELERY_BEAT_SCHEDULE["emulated platforms"] = {
        "task": "sandbox.tasks.push",
        "schedule": 1.0,
        "options": {"expires": 1, "queue": "social"},
    }

# Logs --------------------------------------------------------------------------------------------------------------
LOG_FORMAT = os.environ.get("LOG_FORMAT", "json")  # json, or console
LOG_LEVEL = os.environ.get("LOG_LEVEL", "INFO").upper()
LOGGING = logs.configuration(LOG_FORMAT, LOG_LEVEL)
DJANGO_STRUCTLOG_CELERY_ENABLED = False

# The browser -------------------------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = flag("SECURE_SSL_REDIRECT", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BASE_URL.startswith("https://")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31536000 if BASE_URL.startswith("https://") else 0
if TRUST_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "media-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["api.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "api.pagination.CursorPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "api.problems.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Rabta",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "api.schema.introduce",
        "api.webhooks.openapi.describe",
    ],  # and not the one that names enums: they stand where they are
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
