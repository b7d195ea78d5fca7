"""Settings: every knob comes from the environment; `make up` fills what is not given.

The stack is found by DATABASE_URL and REDIS_URL, else by the file `stack.json` in DATA_DIR that
`make up` writes.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from llmmetrics import databases, logs

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / ".data"))).resolve()

# Commands that need no database, Redis or secret: they run anywhere.
STANDALONE_COMMANDS = frozenset({"score_turns", "collectstatic"})
IS_STANDALONE = len(sys.argv) > 1 and sys.argv[1] in STANDALONE_COMMANDS

STACK = databases.read_stack(DATA_DIR)
DATABASES = databases.configure(env, databases.find_urls(env, STACK, is_standalone=IS_STANDALONE))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default=STACK.get("redis_url", "redis://127.0.0.1:6379/0"))
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 1},
    }
}

DEBUG = env.bool("DEBUG", default=False)
SELF_HOST = env.bool("SELF_HOST", default=False)
SECRET_KEY = env.str("SECRET_KEY", default=STACK.get("secret_key", ""))
if not SECRET_KEY and IS_STANDALONE:
    SECRET_KEY = secrets.token_urlsafe(64)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
if len(SECRET_KEY) < 50:
    raise ImproperlyConfigured(
        "SECRET_KEY: must be set and have at least 50 characters; `make up` makes one."
    )
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
IS_HTTPS = PUBLIC_URL.startswith("https://")
LOOPBACK_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[*LOOPBACK_HOSTS, urlsplit(PUBLIC_URL).hostname or "localhost"]
)
if "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS: '*' would accept any host name; name the hosts.")
if DEBUG and not set(ALLOWED_HOSTS) <= set(LOOPBACK_HOSTS):
    raise ImproperlyConfigured("DEBUG: shows secrets to visitors; it is for loopback hosts only.")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "django_prometheus",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "csp",
    "anymail",
    "apps.core",
    "apps.accounts",
    "apps.reading",
    "apps.events",
    "apps.pricing",
    "apps.conversations",
    "apps.metrics",
    "apps.alerts",
    "apps.dashboards",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "llmmetrics.addresses.refuse_nul",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "apps.accounts.middleware.TenantMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "llmmetrics.urls"
WSGI_APPLICATION = "llmmetrics.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.dashboards.context.shell",
            ]
        },
    }
]

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/dashboard/"

# Sign-up and sign-in (allauth): an e-mail address, a password, a code by mail unless self-hosted.
ACCOUNT_ADAPTER = "apps.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_FORMS = {"signup": "apps.accounts.forms.SignUpForm"}
ACCOUNT_SIGNUP_FORM_HONEYPOT_FIELD = "phone_number"
ACCOUNT_EMAIL_VERIFICATION = "none" if DEBUG or SELF_HOST else "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = not (DEBUG or SELF_HOST)
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SIGNUP_REDIRECT_URL = "/start/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_CHANGE_EMAIL = True
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "LLM Metrics"
SIGNUP_MODE = env.str("SIGNUP_MODE", default="open")
if SIGNUP_MODE not in ("open", "invite", "closed"):
    raise ImproperlyConfigured("SIGNUP_MODE: must be open, invite or closed.")

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_NAME = "__Host-session" if IS_HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_HTTPS else "csrf"
CSRF_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
X_FRAME_OPTIONS = "DENY"
if env.bool("TRUST_PROXY_TLS", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # Programs are not redirected: a key that was sent in the clear has to be noticed, not repaired.
    SECURE_SSL_REDIRECT = IS_HTTPS
    SECURE_REDIRECT_EXEMPT = [r"^api/", r"^v1/", r"^livez$", r"^readyz$", r"^prometheus$"]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env.path("STATIC_ROOT", default=str(DATA_DIR / "static"))()
USES_PLAIN_STATIC = DEBUG or env.bool("PLAIN_STATIC", default=False)
WHITENOISE_USE_FINDERS = USES_PLAIN_STATIC
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if USES_PLAIN_STATIC
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="django.core.mail.backends.console.EmailBackend")
if "EMAIL_URL" in os.environ:
    vars().update(env.email_url("EMAIL_URL"))
# A request waits for the mail server: one that does not answer must not hold it for long.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="LLM Metrics <noreply@localhost>")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "apps.events.rest.problem_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "LLM Metrics",
    "DESCRIPTION": "Product analytics for LLM assistants: events in, KPIs out.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_SOFT_TIME_LIMIT = 540
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "visibility_timeout": 900,
    "max_retries": 0,
}
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "digest-pending": {
        "task": "apps.conversations.tasks.digest_pending",
        "schedule": 2.0,
        "options": {"expires": 10},
    },
    "reprice-pending": {
        "task": "apps.conversations.tasks.reprice_pending",
        "schedule": 5.0,
        "options": {"expires": 20},
    },
    "keep-rollups": {
        "task": "apps.metrics.tasks.keep_rollups",
        "schedule": 10.0,
        "options": {"expires": 30},
    },
    "seal-rested": {
        "task": "apps.conversations.tasks.seal_rested",
        "schedule": 10_800.0,
        "options": {"expires": 10_000},
    },
    "maintain-storage": {
        "task": "apps.events.tasks.maintain_storage",
        "schedule": 3600.0,
        "options": {"expires": 3000},
    },
}

EVENTS_PER_SECOND = env.int("EVENTS_PER_SECOND", default=20_000)
# Old releases do not read sealed events: 0 while their processes still run beside new ones.
SEAL_EVENTS = env.bool("SEAL_EVENTS", default=True)
CONCURRENT_REQUESTS = env.int("CONCURRENT_REQUESTS", default=16)
PROMETHEUS_TOKEN = env.str("PROMETHEUS_TOKEN", default="")
PROMETHEUS_EXPORT_MIGRATIONS = False

logs.configure()
LOGGING = logs.logging(env.str("LOG_LEVEL", default="INFO"))
SILENCED_SYSTEM_CHECKS = (
    [] if IS_HTTPS else ["security.W004", "security.W008", "security.W012", "security.W016"]
)
