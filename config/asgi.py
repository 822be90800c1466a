"""The web application, for servers that speak ASGI."""

import os

from django.core.asgi import get_asgi_application

from config import starting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_asgi_application()
starting.ask()
