"""The admin site and the pieces that belong to the project as a whole."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class KakuteiAdminConfig(AdminConfig):
    """``django.contrib.admin`` with the project's own site, ordered by work."""

    default_site = "config.doors.admin.site.KakuteiAdminSite"


class KakuteiConfig(AppConfig):
    """The project itself: its system checks, and the rows that signing in leaves."""

    name = "config"
    label = "config"

    def ready(self) -> None:
        """Register the system checks, and listen for who signs in and out."""
        from config import checks  # noqa: F401 - importing registers them
        from config.doors.signing import sessions
        from config.doors.signing import signals as signing

        sessions.install()
        signing.install()
