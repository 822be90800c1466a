"""Those who work here (users), and those whose points these are (holders)."""

import getpass
import socket
from collections.abc import Collection
from typing import Any, Self

from axes.models import AccessAttempt
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Func, Q
from django.db.models.functions import Length, Lower
from django.db.models.lookups import Exact, GreaterThan
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from simple_history.models import HistoricalRecords

from ledger_app.values import identifiers, names, tokens
from ledger_app.values.most import HISTORY_REASON_MOST


class GroupHistory(models.Model):
    """A row of what groups and rights a user had at a line of the history."""

    class Meta:
        """No table of its own."""

        abstract = True

    @property
    def history_object(self) -> Any:
        """The user as they were, as other rows of histories call it."""
        return self.history.instance  # type: ignore[attr-defined]  # made by simple-history


class UserHistory(HistoricalRecords):  # type: ignore[misc]  # simple_history brings no types
    """The history of users, whichever door a change came by: which groups they are in, and that a password was set, never which."""

    def get_change_reason_for_object(self, instance: Any, history_type: str, using: str) -> str | None:
        """Return why: ``password``, and outside a request, where nobody is signed in, the account of the operating system."""
        reason: str | None = super().get_change_reason_for_object(instance, history_type, using)
        # Set by set_password, and forgotten when the row is saved.
        has_password = instance._password is not None and history_type == "~"  # noqa: SLF001 - where Django keeps it
        said = reason or ("password" if has_password else "")
        if self.get_history_user(instance) is None:
            said = f"{said} · {_os_account()}" if said else _os_account()
        return said[:HISTORY_REASON_MOST] or None

    def post_save(self, instance: Any, created: bool, using: str | None = None, **options: Any) -> None:  # noqa: FBT001 - as it is called
        """Write a line, but not for a login, which notes when it was and changes nothing else."""
        if set(options.get("update_fields") or ()) != {"last_login"}:
            super().post_save(instance, created, using=using, **options)


class Bytes(Func):
    """How many bytes a text has, in UTF-8."""

    function = "OCTET_LENGTH"
    output_field = models.IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **options: Any) -> Any:
        """Return it for SQLite, which has had the function only of late."""
        return self.as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **options)


class FoldedName(models.CharField[str, str]):
    """The user's name as names are compared, made from it with each save."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: FBT001 - as it is called
        """Return the name, folded."""
        del add
        folded = names.fold(getattr(model_instance, "username", ""))
        setattr(model_instance, self.attname, folded)
        return folded


class Generation(models.PositiveIntegerField[int, int]):
    """Counts up when somebody ends a user's sessions, and with each save of a disabled user: a user who is enabled again signs in anew."""

    def pre_save(self, model_instance: models.Model, add: bool) -> int:  # noqa: FBT001 - as it is called
        """Return the number, one more for a disabled user."""
        number: int = getattr(model_instance, self.attname)
        if not add and not getattr(model_instance, "is_active", True):
            number += 1
            setattr(model_instance, self.attname, number)
        return number


def check_folded(username: str) -> None:
    """Refuse a name of which nothing can be seen, or which is too long once it is folded.

    :raises ValidationError: it is so
    """
    if not 0 < len(names.fold(username)) <= names.FOLDED_MOST:
        raise ValidationError(_("Nothing of this name can be seen, or its characters stand for too many."))


class Users(UserManager["User"]):
    """Users, found by whichever form of their name."""

    use_in_migrations = False

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user of this name; case, width and what cannot be seen make no other name of it."""
        return self.get(username_folded=names.fold(username or ""))

    def named(self, username: str) -> models.QuerySet["User"]:
        """Return the user of this name, if there is one, in whichever form it is given."""
        return self.filter(username_folded=names.fold(username))

    def create_superuser(self, username: str, email: str | None = None, password: str | None = None, **fields: Any) -> "User":
        """Create an administrator. The command does this without asking for a good password; here it is asked for.

        :raises ValidationError: the password is one that others would guess
        """
        if password is not None:
            validate_password(password, User(username=username, email=email or ""))
        return super().create_superuser(username, email, password, **fields)


class User(AbstractUser):
    """A person or a system that acts. ``system`` stands for what the machine does by itself."""

    SYSTEM = "system"
    # What of the user's rights to act a token is for, and the codes of the books that it reaches; None where nothing narrows them.
    narrowed_to: frozenset[str] | None = None
    only_books: frozenset[str] | None = None
    # What the row said when it was read; None of one that was made here.
    was_read: dict[str, Any] | None = None
    # Who else set the password that is there, and so knows it; None once the user has chosen one.
    secret_known_to = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("password set by")
    )
    # Who took the right to decide on rights from this user, who has not got it again.
    decider_ended_by = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("ended by")
    )

    username_folded = FoldedName(_("name, folded"), max_length=names.FOLDED_MOST, editable=False)
    # Part of what a session is bound to: anyone who ends the sessions of a user counts it up.
    session_generation = Generation(_("generation of sessions"), default=0, editable=False)

    objects = Users()  # type: ignore[misc]  # Django's own is of any user
    history = UserHistory(
        excluded_fields=[
            "password",
            "last_login",
            "username_folded",
            "session_generation",
            "secret_known_to",
            "decider_ended_by",
        ],
        m2m_fields=["groups", "user_permissions"],
        m2m_bases=[GroupHistory],
    )

    class Meta:
        """Names and constraints."""

        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.UniqueConstraint(fields=["username_folded"], name="user_folded_unique"),
            models.CheckConstraint(condition=~Q(username_folded=""), name="user_folded_given"),
            # Of a name in ASCII the database itself can tell how it is folded.
            models.CheckConstraint(
                condition=Q(username_folded=Lower("username")) | Q(GreaterThan(Bytes("username"), Length("username"))),
                name="user_folded_follows",
            ),
        ]

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        """Return what a session is bound to: the password, as Django has it, and the generation of sessions."""
        bound: str = super()._get_session_auth_hash(secret)  # type: ignore[misc]  # of Django, and in its stubs not
        return f"{bound}.{self.session_generation}" if self.session_generation else bound

    def clean(self) -> None:
        """Refuse a name that is another user's in another form, or that nothing is left of.

        :raises ValidationError: of the name
        """
        super().clean()
        try:
            check_folded(self.username)
        except ValidationError as error:
            raise ValidationError({"username": error}) from error
        another = type(self).objects.named(self.username).exclude(pk=self.pk).first()
        if another is not None and another.username != self.username:
            sentence = _("There is the user “{name}” already, whose name differs only in case, width or what cannot be seen.")
            raise ValidationError({"username": str(sentence).format(name=another.username)})

    def get_all_permissions(self, obj: models.Model | None = None) -> set[str]:
        """Return the user's rights, or what is left of them where a token stands for the user."""
        return set(tokens.narrowed(frozenset(super().get_all_permissions(obj)), self.narrowed_to))

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Return whether the user has a right; where a token stands for the user, whether it is for that."""
        return super().has_perm(perm, obj) and tokens.is_for(perm, self.narrowed_to)

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any], **options: Any) -> Self:
        """Return a user as the row says, and remember what it said."""
        made = super().from_db(db, field_names, values, **options)
        made.was_read = dict(zip(field_names, values, strict=False))
        return made

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the user; where a password was set on a row that was read, that and what else was changed since.

        The one who sets one has read the row before, seconds ago at a prompt: the rights of then are not written over those of now.
        """
        is_password_set = getattr(self, "_password", None) is not None and not self._state.adding
        if is_password_set and self.was_read is not None and kwargs.get("update_fields") is None:
            kwargs["update_fields"] = {name for name, value in self.was_read.items() if getattr(self, name) != value} | {
                "password"
            }
        super().save(*args, **kwargs)


class FailedTry(AccessAttempt):  # type: ignore[misc]  # axes brings no types
    """How often it was tried in vain to sign in under a name from an address, as django-axes counts it."""

    # What tries are counted under that come from no address. Of IPv6 whole networks are counted, by their first address: this one is the first of none.
    NO_ADDRESS = "100::1"

    class Meta:
        """Names."""

        proxy = True
        default_permissions = ("view",)
        verbose_name = _("failed try to sign in")
        verbose_name_plural = _("failed tries to sign in")

    @property
    def address(self) -> str:
        """From where; empty where that was no address."""
        return "" if self.ip_address == self.NO_ADDRESS else str(self.ip_address or "")


class Holder(models.Model):
    """A member: the one to whom accounts belong, found by identifiers."""

    name = models.CharField(_("name"), max_length=100, blank=True)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged_from", verbose_name=_("merged into")
    )
    opened_at = models.DateTimeField(_("opened at"))

    history = HistoricalRecords()

    class Meta:
        """Names and constraints."""

        verbose_name = _("member")
        verbose_name_plural = _("members")
        permissions = [("register_holder", gettext_noop("Can register members"))]
        # That nobody is merged into itself, into a merged member, or twice, is kept by triggers: MariaDB takes no CHECK on a counted key.
        indexes = [models.Index(fields=["name"], name="holder_name")]

    def __str__(self) -> str:
        """Return the name, or the number where there is none."""
        return self.name or f"#{self.pk}"


class Identifier(models.Model):
    """One of the ways to name a holder. An identifier is given out once and never to somebody else.

    Of a card number, ``value`` is a keyed hash in hexadecimal, ``key_name`` the name of the key, and ``last_four`` what people see of it.
    """

    MEMBER_NUMBER = identifiers.MEMBER_NUMBER
    CARD_TOKEN = identifiers.CARD_TOKEN
    CARD_NUMBER = identifiers.CARD_NUMBER

    kind = models.CharField(_("kind"), max_length=20)
    value = models.CharField(_("value"), max_length=64)
    key_name = models.CharField(_("key"), max_length=16, blank=True, default="")
    last_four = models.CharField(_("last four"), max_length=4, blank=True, default="")
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="identifiers", verbose_name=_("member"))
    active_from = models.DateField(_("active from"), null=True, blank=True)
    active_to = models.DateField(_("active to"), null=True, blank=True)

    class Meta:
        """Names, rights and constraints."""

        verbose_name = _("identifier")
        verbose_name_plural = _("identifiers")
        permissions = [("change_identifiers", gettext_noop("Can give identifiers to members and end them"))]
        indexes = [models.Index(fields=["last_four"], name="identifier_last_four")]
        constraints = [
            models.UniqueConstraint(fields=["kind", "value"], name="identifier_unique"),
            models.CheckConstraint(condition=~Q(value=""), name="identifier_value_given"),
            models.CheckConstraint(
                condition=Q(active_from__isnull=True) | Q(active_to__isnull=True) | Q(active_from__lte=models.F("active_to")),
                name="identifier_span_forward",
            ),
            # A card number has at most 19 digits: what is 64 characters long is no card number in the clear.
            models.CheckConstraint(
                condition=(~Q(kind="card_number") & Q(key_name="", last_four=""))
                | (Q(kind="card_number") & ~Q(key_name="") & Q(Exact(Length("value"), 64)) & Q(Exact(Length("last_four"), 4))),
                name="identifier_card_is_hashed",
            ),
        ]

    def __str__(self) -> str:
        """Return kind and value; of a card its last four."""
        return f"{self.kind} {self.shown}"

    @property
    def shown(self) -> str:
        """The value for the eye."""
        return identifiers.shown(self.kind, self.value, self.last_four)


def _os_account() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):
        return "?"
