"""Where the ledger is in the API."""

from rest_framework.routers import SimpleRouter

from ledger_app.api.accounts import AccountView
from ledger_app.api.books import BookView
from ledger_app.api.entries import EntryView
from ledger_app.api.members import MemberView, MergeView
from ledger_app.api.periods import PeriodView

router = SimpleRouter()
router.register("books", BookView, basename="book")
router.register("accounts", AccountView, basename="account")
router.register("entries", EntryView, basename="entry")
router.register("members", MemberView, basename="member")
router.register("merges", MergeView, basename="merge")
router.register("periods", PeriodView, basename="period")

urlpatterns = router.urls
