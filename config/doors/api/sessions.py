"""Sessions in the API: a user who is signed in to the admin, with the token against forgery in a header."""

from django.http import HttpRequest, HttpResponse
from rest_framework.authentication import CSRFCheck, SessionAuthentication
from rest_framework.exceptions import PermissionDenied


class HeaderSessionAuthentication(SessionAuthentication):
    """A session whose token comes in a header. The framework's own looks for it in the body first, and so reads the body of anybody."""

    def enforce_csrf(self, request: HttpRequest) -> None:
        """Ask for the token, without the body.

        :raises PermissionDenied: it is not there, or not the session's
        """
        bare = HttpRequest()
        bare.method, bare.META, bare.COOKIES, bare.path = request.method, request.META, request.COOKIES, request.path
        check = CSRFCheck(lambda _request: HttpResponse())  # it answers nothing here
        check.process_request(bare)
        reason = check.process_view(bare, HttpResponse, (), {})
        if reason:
            raise PermissionDenied(f"CSRF Failed: {reason}")
