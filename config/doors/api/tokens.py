"""Tokens in the API: by what a program says in whose name it calls, and how far that goes."""

from typing import Final

from django.utils.translation import gettext_lazy as _
from drf_spectacular.authentication import TokenScheme
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from config.doors import callers as doorways
from ledger_app.models import Token, User
from ledger_app.rights.operations import tokens as operations
from ledger_app.rights.queries import tokens
from ledger_app.values import tokens as rules

NOT_GOOD: Final = _("The token is none, or has ended: another can be issued.")


class TokenAuthentication(BaseAuthentication):
    """Finds the user of ``Authorization: Token …``, who may then do what the token is for, and no more."""

    # By this name the description of the API looks for it.
    keyword: Final = "Token"

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        """Return the user and the token; None where the request names none.

        :raises AuthenticationFailed: what was sent is no token, or one that opens nothing any more
        """
        word, _space, key = get_authorization_header(request).decode("latin-1").partition(" ")
        if word.lower() != self.keyword.lower():
            return None
        at = doorways.now()
        # Asked of the database only where it has the form of a key.
        token = tokens.of_key(key, at=at)
        if token is None:
            raise AuthenticationFailed(NOT_GOOD)
        tokens.narrow(token.user, token)
        if token.last_used_at is None or token.last_used_at <= at - rules.USE_EVERY:
            operations.used(token_id=token.pk, at=at)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Return what to send where nothing was: so that the answer is 401."""
        del request
        return self.keyword


class TokenOfOursScheme(TokenScheme):  # type: ignore[no-untyped-call]  # it registers itself
    """Describes tokens in the API."""

    target_class = "config.doors.api.tokens.TokenAuthentication"
