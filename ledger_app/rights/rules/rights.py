"""Who may do what: the groups and their rights, as design.md states them."""

from collections.abc import Iterable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# The system's own: it marks what nobody decided in time.
EXPIRE = "ledger_app.expire_adjustment"
# And it carries out what the policy of a book's close says, which two people have set.
KEEP_TIMES = "ledger_app.keep_close_times"

# Everyone who works here reads everything but users, tokens and passwords; what differs is what they may do. A till reads less (READ_BY), an auditor more.
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "support": (
        "ledger_app.answer_member",
        "ledger_app.change_identifiers",
        "ledger_app.propose_adjustment",
        "ledger_app.propose_merge",
        "ledger_app.propose_reversal",
        "ledger_app.register_holder",
        "ledger_app.release_hold",
        "ledger_app.resolve_any_hold",
        "ledger_app.suspend_account",
    ),
    "finance": (
        "ingestion_app.approve_batch",
        "ingestion_app.freeze_batch",
        "ledger_app.close_account",
        "ledger_app.close_period",
        "ledger_app.decide_adjustment",
        "ledger_app.decide_erasure",
        "ledger_app.decide_merge",
        "ledger_app.freeze_period",
        "ledger_app.hand_over",
        "ledger_app.keep_reasoncode",
        "ledger_app.look_accessreview",
        "ledger_app.open_book",
        "ledger_app.propose_reversal",
        "ledger_app.release_hold",
        "ledger_app.resolve_any_hold",
        "ledger_app.reverse_entry",
        "ledger_app.set_close_policy",
        "ledger_app.set_hold_rule",
        "ledger_app.set_lot_rule",
        "ledger_app.set_profile",
        "ledger_app.settle_hold",
        "ledger_app.sign_accessreview",
        "ledger_app.suspend_account",
    ),
    "engineer": (
        "ingestion_app.receive_batch",
        "ingestion_app.validate_batch",
        "ingestion_app.apply_batch",
        "ingestion_app.withdraw_batch",
        "ingestion_app.reverse_batch",
        "ingestion_app.load_source",
        "ledger_app.keep_webhook",
        # A source posts to accounts that somebody has to open; anyone who approves its batches is another.
        "ledger_app.open_book",
        "ledger_app.register_holder",
    ),
    "auditor": ("ledger_app.look_accessreview", "ledger_app.run_verification"),
    # Systems, not people: what stands at the point of sale.
    "till": ("ledger_app.place_hold", "ledger_app.settle_hold", "ledger_app.release_hold"),
    # Programs that post by themselves; no person has this right.
    "machine": ("ledger_app.post_entry",),
}

# Rights to decide: of the transitions that are decisions, and over who may do what. Anyone who has one may be asked for a second factor.
DECIDING = frozenset(
    {
        "ingestion_app.approve_batch",
        "ingestion_app.freeze_batch",
        "ingestion_app.reverse_batch",
        "ingestion_app.withdraw_batch",
        "ledger_app.change_user",
        "ledger_app.close_account",
        "ledger_app.decide_adjustment",
        "ledger_app.decide_erasure",
        "ledger_app.decide_merge",
        "ledger_app.freeze_period",
        "ledger_app.give_token",
        "ledger_app.keep_reasoncode",
        "ledger_app.reverse_entry",
        "ledger_app.set_adjustmentlimit",
    }
)

READ: Mapping[str, tuple[str, ...]] = {
    "ledger_app": (
        "account",
        "accounttemplate",
        "adjustment",
        "adjustmentdecision",
        "adjustmentlimit",
        "attachment",
        "auditrow",
        "balance",
        "book",
        "closepolicy",
        "contraaccount",
        "deadletter",
        "decidedamount",
        "entry",
        "eraseddigest",
        "erasedpart",
        "erasure",
        "event",
        "expirychunk",
        "expiryrun",
        "export",
        "freezeattempt",
        "hold",
        "holder",
        "holdlot",
        "holdrule",
        "holdtarget",
        "identifier",
        "line",
        "link",
        "lot",
        "lotrule",
        "lotuse",
        "merge",
        "movedidentifier",
        "openlot",
        "period",
        "posting",
        "postingdigest",
        "profile",
        "profileversion",
        "reasoncode",
        "redirectedentry",
        "reversal",
        "seal",
        "sealcover",
        "settingchange",
        "submission",
        "trace",
        "verification",
        "webhook",
    ),
    "ingestion_app": (
        "acknowledgement",
        "attempt",
        "batch",
        "chunk",
        "file",
        "fileshape",
        "finding",
        "receipt",
        "record",
        "recordsdigest",
        "source",
        "sourceversion",
    ),
}

# What looks at less: a till at its own holds, and at the accounts that it names (the API sees to that), without whose they are.
READ_BY: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "till": {"ledger_app": ("account", "balance", "hold", "holdlot", "openlot")},
}
# What some look at besides: who has which right, and how that changed.
READ_BESIDES: Mapping[str, tuple[str, ...]] = {"auditor": ("auth.view_group", "ledger_app.view_token", "ledger_app.view_user")}
# Groups of programs, which no pages let in.
OF_PROGRAMS = frozenset({"till", "machine"})
# Issues tokens to programs and ends anybody's; no group has it.
GIVE_TOKENS = "ledger_app.give_token"
# Who has it looks at accounts by whatever they ask for, and at everybody's holds.
LOOK_AT_ALL = "ledger_app.view_holder"

# Who has one right of a pair and the other too could begin and end the same thing by themselves, or look after themselves: told in the access review.
# What one proposes one never decides, whatever one may do (rules' guards); this is about doing a duty twice over, as two people or as nobody.
CONFLICTS: tuple[tuple[str, str, str | Promise], ...] = (
    ("ledger_app.propose_adjustment", "ledger_app.decide_adjustment", _("proposes adjustments and decides them")),
    ("ledger_app.propose_merge", "ledger_app.decide_merge", _("proposes merges and decides them")),
    ("ledger_app.answer_member", "ledger_app.decide_erasure", _("asks for erasures and decides them")),
    ("ledger_app.register_holder", "ledger_app.decide_adjustment", _("registers members and decides what they are given")),
    (
        "ledger_app.change_identifiers",
        "ledger_app.decide_adjustment",
        _("says whose an identifier is and decides what they are given"),
    ),
    ("ingestion_app.receive_batch", "ingestion_app.approve_batch", _("receives files and approves them")),
    ("ingestion_app.load_source", "ingestion_app.approve_batch", _("says how files are read and approves them")),
    ("ingestion_app.apply_batch", "ledger_app.freeze_period", _("applies files and freezes periods")),
    ("ledger_app.place_hold", "ledger_app.decide_adjustment", _("stands at the point of sale and decides adjustments")),
    ("ledger_app.change_user", "ledger_app.decide_adjustment", _("says who may do what and decides adjustments")),
    ("ledger_app.change_user", "ingestion_app.approve_batch", _("says who may do what and approves files")),
    ("ledger_app.change_user", "ledger_app.freeze_period", _("says who may do what and freezes periods")),
    ("ledger_app.change_user", "ledger_app.sign_accessreview", _("says who may do what and signs it off")),
)
# A review of who may do what is due after so many days.
REVIEW_DAYS = 183


def conflicts_of(rights: Iterable[str]) -> list[tuple[str, str, str | Promise]]:
    """Return the pairs of which somebody with these rights holds both."""
    there = set(rights)
    return [pair for pair in CONFLICTS if {pair[0], pair[1]} <= there]


def of_group(name: str) -> set[str]:
    """Return the rights of a group, each as the application's label, a dot, and the right's name."""
    read = READ_BY.get(name, READ)
    looks = {f"{app}.view_{model}" for app, models in read.items() for model in models}
    return looks | set(READ_BESIDES.get(name, ())) | set(ACTIONS[name])
