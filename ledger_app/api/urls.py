"""Where the ledger is in the API."""

from rest_framework.routers import SimpleRouter

from ledger_app.api.accounts import AccountView
from ledger_app.api.adjustments import AdjustmentView
from ledger_app.api.books import BookView
from ledger_app.api.entries import EntryView
from ledger_app.api.erasures import ErasureView
from ledger_app.api.events import EventView
from ledger_app.api.holds import HoldView
from ledger_app.api.many import ManyView
from ledger_app.api.members import MemberView, MergeView
from ledger_app.api.periods import PeriodView
from ledger_app.api.reversals import ReversalView
from ledger_app.api.setting_changes import SettingChangeView
from ledger_app.api.settings import LimitView, ReasonCodeView
from ledger_app.api.users import UserView
from ledger_app.api.webhooks import DeadLetterView, WebhookView

router = SimpleRouter()
router.register("books", BookView, basename="book")
router.register("accounts", AccountView, basename="account")
router.register("entries", EntryView, basename="entry")
router.register("holds", HoldView, basename="hold")
router.register("events", EventView, basename="event")
router.register("webhooks", WebhookView, basename="webhook")
router.register("dead-letters", DeadLetterView, basename="dead-letter")
router.register("bulk", ManyView, basename="bulk")
router.register("adjustments", AdjustmentView, basename="adjustment")
router.register("members", MemberView, basename="member")
router.register("erasures", ErasureView, basename="erasure")
router.register("merges", MergeView, basename="merge")
router.register("periods", PeriodView, basename="period")
router.register("reversals", ReversalView, basename="reversal")
router.register("reason-codes", ReasonCodeView, basename="reason-code")
router.register("limits", LimitView, basename="limit")
router.register("users", UserView, basename="user")
router.register("setting-changes", SettingChangeView, basename="setting-change")

urlpatterns = router.urls
