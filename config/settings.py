"""Settings, all of which the environment can change (docs/operators.md lists the variables).

Without any variable the project runs embedded: SQLite, a broker in a folder, files on disk,
everything under DATA_DIR. DATABASE_URL, REDIS_URL and S3_BUCKET switch each of these to its
production counterpart without a change of code or command line.
"""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.management.utils import get_random_secret_key
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / ".data"))).resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)

DEBUG = env.bool("DEBUG", default=False)


def _secret_key() -> str:
    """The key from the environment, else one made once for this data folder."""
    if key := env.str("SECRET_KEY", default=""):
        return key
    path = DATA_DIR / "secret-key"
    try:
        # Exclusive creation: of several processes starting at once, one makes the key.
        with path.open("x") as file:
            path.chmod(0o600)
            file.write(get_random_secret_key())
    except FileExistsError:
        pass
    return path.read_text()


SECRET_KEY = _secret_key()
# Earlier keys, so that what was sealed or signed by them still holds after a change.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "contest",
    "judging",
    "leaderboard",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "django_countries",
    "django_filters",
    "django_htmx",
    "import_export",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "contest.middleware.ForEverybodyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "contest.middleware.SignInLinkMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "contest.middleware.RefusalMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "contest.context_processors.site",
            ],
            "builtins": ["contest.templatetags.wuzhen"],
        },
    },
]

# --- Data ------------------------------------------------------------------------------------

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        # Writers queue for the lock at BEGIN instead of failing in the middle.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL: a mark that was confirmed to a tablet is on disk, even through a power cut.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
    # A file, because tests with threads need real locking.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"]["OPTIONS"] = {
        # A database whose machine is gone is noticed within a minute, not after two hours.
        "connect_timeout": 10,
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    }
    # A worker that is cut off in the middle of a transaction would hold its locks for hours.
    if (seconds := env.float("DB_IDLE_IN_TRANSACTION_S", default=60.0)) > 0:
        DATABASES["default"]["OPTIONS"]["options"] = (
            f"-c idle_in_transaction_session_timeout={round(seconds * 1000)}"
        )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="")
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "wuzhen",
        }
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# Nothing uploaded is ever served by a static address: views check who asks and send the file.
if S3_BUCKET := env.str("S3_BUCKET", default=""):
    _default_storage = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": env.str("S3_ENDPOINT_URL", default="") or None,
            "region_name": env.str("S3_REGION", default="") or None,
            "access_key": env.str("S3_ACCESS_KEY", default="") or None,
            "secret_key": env.str("S3_SECRET_KEY", default="") or None,
            "addressing_style": env.str("S3_ADDRESSING_STYLE", default="auto"),
            "default_acl": "private",
            "file_overwrite": False,
        },
    }
else:
    _default_storage = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "files", "file_permissions_mode": 0o600},
    }
STORAGES = {
    "default": _default_storage,
    "staticfiles": {"BACKEND": "config.static_files.StaticFiles"},
}
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]

# A table that is looked at before it is taken in comes back in a field of the form.
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
# The largest request body that is read at all; each round sets its own, smaller limit.
MAX_UPLOAD_BYTES = env.int("MAX_UPLOAD_BYTES", default=100 * 1024 * 1024)
FILE_UPLOAD_HANDLERS = [
    "contest.uploads.LimitedUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- Languages and time ----------------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

# --- Accounts --------------------------------------------------------------------------------

AUTH_USER_MODEL = "contest.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_SIGNUP_FORM_CLASS = "contest.forms.SignupForm"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if SITE_URL.startswith("https") else "http"
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "signup": "20/m/ip",
    "reset_password": "20/m/ip,5/m/key",
    "confirm_email": "1/m/key",
}

DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Wuzhen <noreply@localhost>")
if env.str("EMAIL_URL", default=""):
    vars().update(env.email("EMAIL_URL"))
else:
    # Embedded: each mail is a file that the person who runs the demo can open.
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "mail"

# --- Web security ----------------------------------------------------------------------------

HTTPS = SITE_URL.startswith("https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=False)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31536000 if HTTPS else 0)
# Whether all subdomains, and browsers' built-in lists, are bound is for the domain's owner to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
if env.bool("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
FORMS_URLFIELD_ASSUME_HTTPS = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ["/admin/", "/api/v1/docs/"],
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        # htmx and ECharts set style attributes; scripts stay limited to our own files.
        "style-src": [SELF, "'unsafe-inline'"],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
    },
}

# What the admin exports must not run as a formula in somebody's spreadsheet.
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True

# --- API -------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["contest.api.permissions.DenyByDefault"],
    "DEFAULT_PAGINATION_CLASS": "contest.api.pagination.Pages",
    "PAGE_SIZE": 50,
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "rest_framework.filters.SearchFilter",
        "rest_framework.filters.OrderingFilter",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PARSER_CLASSES": [
        "contest.api.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"anon": "600/min", "user": "1200/min", "token": "10/min"},
    "EXCEPTION_HANDLER": "contest.api.errors.exception_handler",
    "DEFAULT_VERSIONING_CLASS": None,
    "COERCE_DECIMAL_TO_STRING": True,
}
REST_KNOX = {
    "TOKEN_TTL": timedelta(days=90),
    "AUTH_TOKEN_CHARACTER_LENGTH": 64,
    "TOKEN_PREFIX": "wz_",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Wuzhen competition platform",
    "DESCRIPTION": "Teams, submissions, score sheets, standings and finalist lists.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    # Names that clients are generated by must not come out of a digest of the choices.
    "ENUM_NAME_OVERRIDES": {
        "RoundKindEnum": "contest.models.round.Round.Kind",
        "SubmissionKindEnum": "contest.models.submission.Submission.Kind",
        "ComponentKindEnum": "leaderboard.models.scheme.SchemeComponent.Kind",
        "ProtocolEnum": "judging.models.benchmark.Benchmark.Protocol",
        "BenchmarkStatusEnum": "judging.states.BenchmarkStatus",
        "ResourceClassEnum": "judging.models.benchmark.ResourceClass",
        "TieBreakEnum": "leaderboard.models.scheme.Scheme.TieBreak",
    },
}

# --- Celery ----------------------------------------------------------------------------------

if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_keepalive": True}
else:
    CELERY_BROKER_URL = "embedded://localhost/"  # config/broker.py
    _messages = DATA_DIR / "broker" / "messages"
    _messages.mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_messages),
        "data_folder_out": str(_messages),
        "polling_interval": 0.1,
    }
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_ENABLE_REMOTE_CONTROL = bool(REDIS_URL)
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")
# A run is given up for lost after so long without a sign of life, which it gives every few seconds.
RUN_HEARTBEAT_S = env.float("RUN_HEARTBEAT_S", default=5.0)
RUN_LOST_AFTER_S = env.float("RUN_LOST_AFTER_S", default=60.0)
RUN_RETRY_AFTER_S = env.float("RUN_RETRY_AFTER_S", default=5.0)
RUN_WAKE_AFTER_S = env.float("RUN_WAKE_AFTER_S", default=30.0)
CELERY_BEAT_SCHEDULE = {
    # The database is the queue of record; these bring back whatever a lost message left behind.
    "sweep-scoring-runs": {
        "task": "judging.tasks.sweep_scoring_runs",
        "schedule": env.float("SWEEP_EVERY_S", default=15.0),
        # One that could not be sent in time is not wanted any more: the next one is due.
        "options": {"expires": 60},
    },
    "refresh-stale-standings": {
        "task": "leaderboard.tasks.refresh_stale_standings",
        "schedule": 60.0,
    },
    "publish-due-results": {
        "task": "leaderboard.tasks.publish_due_results",
        "schedule": 20.0,
        "options": {"expires": 60},
    },
    "thin-standings": {
        "task": "leaderboard.tasks.thin_standings",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "tidy-downloads": {
        "task": "leaderboard.tasks.tidy_downloads",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
}
# Large downloads that a worker has prepared are removed after so many days.
DOWNLOADS_KEPT_DAYS = env.int("DOWNLOADS_KEPT_DAYS", default=7)

# --- Push ------------------------------------------------------------------------------------

# What changed is told by Redis, else by files in a folder (contest/live.py, config/live.py).
LIVE_DIR = DATA_DIR / "live"
# Redis has one space of channels for all its databases.
LIVE_REDIS_CHANNEL = f"wuzhen-live-{urlsplit(REDIS_URL).path.strip('/') or 0}"
LIVE_TICKET_S = env.int("LIVE_TICKET_S", default=2 * 24 * 3600)
# Streams that one process of the web server holds; further pages poll.
LIVE_MAX_STREAMS = env.int("LIVE_MAX_STREAMS", default=5000)
# Threads that serve pages, in each process of the web server; streams take none.
WEB_THREADS = env.int("WEB_THREADS", default=8)

# --- Sandbox ---------------------------------------------------------------------------------

# auto: files that only hold data are read with limits alone where bubblewrap does not work, and
# programs are refused. required: nothing runs without it. off: as if there were none.
SANDBOX = env.str("SANDBOX", default="auto")
SANDBOX_BWRAP = env.str("SANDBOX_BWRAP", default="")
SANDBOX_PYTHON = env.str("SANDBOX_PYTHON", default="")
SANDBOX_DIR = env.str("SANDBOX_DIR", default="")
# The path or name of docker or podman; without it container images are not taken.
CONTAINER_ENGINE = env.str("CONTAINER_ENGINE", default="")
# For machines with a graphics processor: devices shown in the sandbox (/dev/nvidia0, …), and what
# the engine is told (--gpus all).
SANDBOX_DEVICES = env.list("SANDBOX_DEVICES", default=[])
CONTAINER_OPTIONS = env.list("CONTAINER_OPTIONS", default=[])

# --- Logs ------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
}
