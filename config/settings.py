"""Every setting of Kakutei, read from the environment with strict readers that refuse odd values.

Nothing secret has a default outside development: without KAKUTEI_ENVIRONMENT=development a missing secret stops the start.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
VAR_DIR.mkdir(exist_ok=True)

env = Environment()
# First of all, so that what a slip in a level would hide is told.
LOG_LEVEL = env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "WARNING")

ENVIRONMENT = env.choice("KAKUTEI_ENVIRONMENT", ("development", "staging", "production"), "development")
IS_DEVELOPMENT = ENVIRONMENT == "development"
DEBUG = env.switch("DEBUG", default=False)
if DEBUG and not IS_DEVELOPMENT:
    raise ImproperlyConfigured("DEBUG is 'true'; it must be false, or not set, outside development.")

SECRET_KEY = env.secret_key("SECRET_KEY", default="development-only" if IS_DEVELOPMENT else None)
# Keys that were there before, the newest first: what was signed under them is good until they are taken away; nothing is signed under them but webhooks.
SECRET_KEY_FALLBACKS = env.secret_keys("SECRET_KEY_FALLBACKS", takes_weak=IS_DEVELOPMENT)
ALLOWED_HOSTS = env.hosts(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "testserver"] if IS_DEVELOPMENT else [], takes_any=IS_DEVELOPMENT
)
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")
# A server that is started without saying what it is for, or with keys that everybody knows, answers its own machine alone.
KAKUTEI_ANSWERS_OTHER_MACHINES = env.is_given("KAKUTEI_ENVIRONMENT") and (not IS_DEVELOPMENT or env.is_given("SECRET_KEY"))

INSTALLED_APPS = [
    "config.apps.KakuteiAdminConfig",
    # The project before those whose commands ask nothing: createsuperuser, and whitenoise's runserver.
    "config.apps.KakuteiConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "simple_history",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "django_tasks",
    "django_structlog",
    "axes",
    "ledger_app.apps.LedgerConfig",
    "ingestion_app.apps.IngestionConfig",
    # Behind ingestion, whose db_worker stands before the one of the queue.
    "django_tasks_db",
]

MIDDLEWARE = [
    # Outermost: what those below answer with themselves is not kept either.
    "config.doors.requests.headers.NothingKept",
    "config.doors.requests.headers.RequestNames",
    "config.doors.requests.bodies.OwnMachine",
    # Before the one that leads to HTTPS: pages are led there, programs are told.
    "config.doors.requests.headers.ProgramsByHttps",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    # Before whatever reads a body, the check against forgery among it.
    "config.doors.requests.bodies.TrustedBodies",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.doors.signing.sessions.Sessions",
    # Behind what answers whose body cannot be trusted: forms are looked at once they were read.
    "config.doors.requests.card_doors.CardDoors",
    "config.doors.signing.step_up.StepUp",
    # Whatever is saved in a request without a word of who did it is the signed-in user's in its history.
    "simple_history.middleware.HistoryRequestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "config.doors.admin.printable_pages.PrintablePages",
    "config.doors.admin.typed_before.TypedBefore",
    # Innermost: the answer of a view that took a password says so, where nobody may try again yet.
    "axes.middleware.AxesMiddleware",
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
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.doors.admin.context.frame",
            ],
            "builtins": ["ledger_app.templatetags.look"],
        },
    },
]


# How long a chunk that was taken belongs to whoever took it, unless its process is seen to be gone before.
KAKUTEI_LEASE_SECONDS = env.whole_number("KAKUTEI_LEASE_SECONDS", least=1, most=3600, default=60)


def read_database() -> dict[str, Any]:
    """Return the settings of the one database, with the isolation that the locks are written for."""
    database = env.database("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'kakutei.sqlite3'}")
    # A connection to SQLite reads the whole schema first, which takes longer than most requests. One that is lost is found at the next request.
    database |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    options = database.setdefault("OPTIONS", {})
    if database["ENGINE"].endswith("sqlite3"):
        # IMMEDIATE: a transaction that will write takes its lock at once, so that none fails half way to upgrade a read.
        options.setdefault("transaction_mode", "IMMEDIATE")
        options.setdefault("timeout", 60)
        options.setdefault(
            "init_command",
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON; PRAGMA cache_size=-65536;",
        )
        # A file, so that threads and processes of one test meet in it as they would in life.
        database["TEST"] = {"NAME": VAR_DIR / "test.sqlite3"}
    else:
        options.setdefault("charset", "utf8mb4")
        options.setdefault("isolation_level", "read committed")
        # MariaDB ends the session of a worker that was stopped within a transaction; MySQL, which cannot, reads a comment.
        idle = f"/*M! , idle_write_transaction_timeout={KAKUTEI_LEASE_SECONDS} */"
        options.setdefault(
            "init_command", f"SET sql_mode='TRADITIONAL,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout=20 {idle}"
        )
        database["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_bin"}
    return database


DATABASES = {"default": read_database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "ledger_app.User"
# The first refuses whoever has failed too often; the second looks at names and passwords, and says what rights there are.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "config.doors.signing.passwords.LengthMost"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "config.doors.signing.passwords.NotGuessed"},
]
LOGIN_URL = "admin:login"

# How many proxies stand in front, each of which writes into X-Forwarded-For whom it was reached by; without one, nobody is believed.
KAKUTEI_PROXIES = env.whole_number("KAKUTEI_PROXIES", least=0, most=5, default=0)
# After how many failed tries nobody signs in under a name from an address, and for how long.
KAKUTEI_LOGIN_FAILURES = env.whole_number("KAKUTEI_LOGIN_FAILURES", least=3, most=100, default=5)
KAKUTEI_LOCKOUT_MINUTES = env.whole_number("KAKUTEI_LOCKOUT_MINUTES", least=1, most=1440, default=15)
AXES_FAILURE_LIMIT = KAKUTEI_LOGIN_FAILURES
AXES_COOLOFF_TIME = timedelta(minutes=KAKUTEI_LOCKOUT_MINUTES)
# By both together: by the name alone anybody could lock a colleague out, by the address alone a whole office.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "config.doors.signing.lockouts.counted_name"
AXES_CLIENT_IP_CALLABLE = "config.doors.signing.lockouts.counted_address"
AXES_LOCKOUT_CALLABLE = "config.doors.signing.lockouts.refused"
AXES_HANDLER = "config.doors.signing.lockouts.Handler"
AXES_RESET_ON_SUCCESS = True
# A person who goes on trying is told the same time as before.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
# The audit rows say who signed in; what came with a failed try is kept nowhere.
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False

# Who needs a second factor: nobody, whoever may decide something or change rights, or everybody who signs in to the pages.
KAKUTEI_SECOND_FACTOR = env.choice(
    "KAKUTEI_SECOND_FACTOR", ("voluntary", "deciders", "everyone"), "voluntary" if IS_DEVELOPMENT else "deciders"
)
# Keys by name, the newest first: the secrets of apps with codes are sealed under the newest.
KAKUTEI_FACTOR_KEYS = env.card_keys(
    "KAKUTEI_FACTOR_KEYS", default=f"development:{'0' * 64}" if IS_DEVELOPMENT else "", takes_weak=IS_DEVELOPMENT
)
# For how many minutes it counts that somebody showed who they are, before they decide, export or change rights; 0 asks nobody again.
KAKUTEI_STEP_UP_MINUTES = env.whole_number("KAKUTEI_STEP_UP_MINUTES", least=0, most=720, default=0 if IS_DEVELOPMENT else 10)
# Single sign-on by OpenID Connect: off, unless all three say where. What the provider says where it asked for a second factor counts as one where it is named here.
KAKUTEI_OIDC_ISSUER = env.provider("KAKUTEI_OIDC_ISSUER", is_development=IS_DEVELOPMENT)
KAKUTEI_OIDC_CLIENT_ID = env.client("KAKUTEI_OIDC_CLIENT_ID")
KAKUTEI_OIDC_CLIENT_SECRET = env.client_secret("KAKUTEI_OIDC_CLIENT_SECRET", takes_weak=IS_DEVELOPMENT)
env.refuse_half("KAKUTEI_OIDC_ISSUER", "KAKUTEI_OIDC_CLIENT_ID", "KAKUTEI_OIDC_CLIENT_SECRET")
KAKUTEI_OIDC_FACTOR = env.factors("KAKUTEI_OIDC_FACTOR", only_with="KAKUTEI_OIDC_ISSUER")
# A session ends when nobody did anything for so many minutes, and after so many hours whatever was done.
KAKUTEI_IDLE_MINUTES = env.whole_number("KAKUTEI_IDLE_MINUTES", least=1, most=720, default=15)
KAKUTEI_SESSION_HOURS = env.whole_number("KAKUTEI_SESSION_HOURS", least=1, most=12, default=12)
SESSION_COOKIE_AGE = KAKUTEI_SESSION_HOURS * 3600
# For how many days a token is good at most.
KAKUTEI_TOKEN_DAYS = env.whole_number("KAKUTEI_TOKEN_DAYS", least=1, most=1825, default=365)
# How many requests a user may send in a minute to each process of the server.
KAKUTEI_REQUESTS_A_MINUTE = env.whole_number("KAKUTEI_REQUESTS_A_MINUTE", least=60, most=1_000_000, default=6_000)
CSRF_FAILURE_VIEW = "config.doors.api.problems.csrf_failure"
# What is not a file is refused above this by config.doors.requests.bodies; here a little above, as the last fence.
DATA_UPLOAD_MAX_MEMORY_SIZE = 3_000_000
FILE_UPLOAD_HANDLERS = [
    "config.doors.requests.bodies.CountedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ja", _("Japanese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
USE_THOUSAND_SEPARATOR = False

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = IS_DEVELOPMENT
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if IS_DEVELOPMENT
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "object-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = env.switch("KAKUTEI_HTTPS", default=not IS_DEVELOPMENT)
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_SSL_REDIRECT else 0
# What lies under the host's name as well: without that, whoever serves a name under it by HTTP may set cookies for it.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.switch("KAKUTEI_HSTS_SUBDOMAINS", default=SECURE_SSL_REDIRECT)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE_SSL_REDIRECT
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
# A script may read the token against forgery, which it has to send, and nothing else.
SESSION_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
# With this before its name a browser takes a cookie from this host alone, by HTTPS: another host of the domain cannot set it.
OF_THIS_HOST = "__Host-" if SECURE_SSL_REDIRECT else ""
SESSION_COOKIE_NAME = f"{OF_THIS_HOST}sessionid"
CSRF_COOKIE_NAME = f"{OF_THIS_HOST}csrftoken"
LANGUAGE_COOKIE_NAME = f"{OF_THIS_HOST}django_language"
# What a page says of what was done names members and amounts: it is kept here, and not in a cookie.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_FILEFIELD_TO_CHARFIELD = True

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "config.doors.api.tokens.TokenAuthentication",
        "config.doors.api.sessions.HeaderSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["config.doors.api.reading.ReadPermission"],
    "DEFAULT_THROTTLE_CLASSES": ["config.doors.requests.rates.OfUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "config.doors.api.reading.KeysetPagination",
    "PAGE_SIZE": 100,
    "EXCEPTION_HANDLER": "config.doors.api.problems.problem",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Kakutei",
    "DESCRIPTION": "The back office of a points and card ledger: books, accounts, entries, batches and periods.",
    "VERSION": "1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
}

# Where the bytes of received files are kept, by SHA-256. On several hosts this is a shared file system.
KAKUTEI_FILES_DIR = env.folder("KAKUTEI_FILES_DIR", default=VAR_DIR / "files", must_be_absolute=not IS_DEVELOPMENT)
# After how many days the bytes of uploads that never became a batch or a proposal may be removed (prune_uploads); 0 keeps them for ever.
KAKUTEI_UPLOAD_DAYS = env.whole_number("KAKUTEI_UPLOAD_DAYS", least=0, most=36_500, default=0)
# After how many days the queue's finished tasks, and failed tries to sign in, are forgotten (prune).
KAKUTEI_TASK_DAYS = env.whole_number("KAKUTEI_TASK_DAYS", least=1, most=366, default=14)
KAKUTEI_TRY_DAYS = env.whole_number("KAKUTEI_TRY_DAYS", least=1, most=366, default=30)
# The largest file that is taken in by the admin or the API, in bytes.
KAKUTEI_UPLOAD_BYTES = env.whole_number("KAKUTEI_UPLOAD_BYTES", least=1, most=100_000_000_000, default=1_000_000_000)
# What is attached to proposals lies beside them; the largest file, in bytes, and how many a proposal takes.
KAKUTEI_ATTACHMENT_BYTES = env.whole_number("KAKUTEI_ATTACHMENT_BYTES", least=1, most=1_000_000_000, default=5_000_000)
KAKUTEI_ATTACHMENTS = env.whole_number("KAKUTEI_ATTACHMENTS", least=0, most=100, default=10)
# What looks at files that come in before they are kept: a program and its words, behind which the path of the file is put; nothing looks where it is empty.
KAKUTEI_SCANNER = env.command("KAKUTEI_SCANNER")
# How long a proposed adjustment can be decided.
KAKUTEI_PROPOSAL_DAYS = env.whole_number("KAKUTEI_PROPOSAL_DAYS", least=1, most=366, default=14)
# Whether acknowledge, approve, withdraw, freeze and freeze_batch may be decided from the command line.
KAKUTEI_DECIDE_BY_COMMAND = env.switch("KAKUTEI_DECIDE_BY_COMMAND", default=IS_DEVELOPMENT)
# Keys by name, the newest first: card numbers are kept as hashes under the newest, and found under each.
KAKUTEI_CARD_KEYS = env.card_keys(
    "KAKUTEI_CARD_KEYS", default=f"development:{'0' * 64}" if IS_DEVELOPMENT else "", takes_weak=IS_DEVELOPMENT
)
# How many processes a task applies a batch with; SQLite always has one.
KAKUTEI_WORKERS = env.whole_number("KAKUTEI_WORKERS", least=1, most=64, default=1)
# The hosts that webhooks may be sent to, by HTTPS.
KAKUTEI_WEBHOOK_HOSTS = env.receivers("KAKUTEI_WEBHOOK_HOSTS")
# What a seal and an audit row name as the code that wrote them.
KAKUTEI_CODE_VERSION = env.text("KAKUTEI_CODE_VERSION", most=64, default="development")
env.refuse_unknown()

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "structlog.stdlib.ProcessorFormatter",
            "processor": "ext://config.logs.renderer",
            "foreign_pre_chain": "ext://config.logs.of_others",
        },
    },
    # The handler has the level too: a library that gives its logger a level of its own is bound by it all the same.
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "level": LOG_LEVEL}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # Django gives these handlers and levels of their own.
    "loggers": {name: {"handlers": [], "level": "NOTSET", "propagate": True} for name in ("django", "django.server")},
}
