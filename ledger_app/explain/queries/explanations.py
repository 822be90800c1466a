"""What an account is made of, as one object for programs: the command and the API give the same."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ledger_app.explain.queries.explain import AccountExplained
from ledger_app.explain.queries.statements import Movement
from ledger_app.models import Account, Seal
from ledger_app.points.queries import lot_pages, standing
from ledger_app.posting.queries.lots import held_at
from ledger_app.posting.queries.origins import Provenance
from ledger_app.values import instants

OPEN_LOTS_MOST = 50


def as_object(explained: AccountExplained, told: Mapping[int, Provenance], *, now: datetime) -> dict[str, Any]:
    """Return an explanation ready for JSON; ``told`` says by entry where the movements came from. Amounts are signed minor units.

    ``recomputed`` and any sum are null where too many lines would have to be read while somebody waits. ``balance``, ``recomputed`` and ``open_lots`` are of now; ``explained`` is the balance as asked, which is ``sealed_balance`` and ``since``.
    """
    account, book, sums = explained.account, explained.account.book, explained.sums
    return {
        "kind": "account",
        "book": book.code,
        "account": account.code,
        "role": account.role,
        "category": account.category,
        "state": account.state,
        "member_numbers": explained.member_numbers,
        "unit": book.unit,
        "exponent": book.exponent,
        "at": explained.at.isoformat() if explained.at else None,
        "known_at": instants.stamp(explained.known_at) if explained.known_at else None,
        "explained": sums.closing,
        "seal": _seal(explained.seal, holds=explained.seal_holds),
        "sealed_balance": sums.opening,
        "since": sums.moved,
        "since_count": sums.line_count,
        "dated_later": sums.dated_later,
        "dated_later_count": sums.dated_later_count,
        "posted_later": sums.posted_later,
        "posted_later_count": sums.posted_later_count,
        "balance": explained.claimed,
        "recomputed": explained.found if explained.is_recomputed else None,
        "standing": standing.of([account], at=now)[account.pk].parts(),
        "line_count": sums.total_count,
        "differing_stripes": [
            {"stripe": proof.stripe, "claimed": list(proof.claimed), "found": list(proof.found)}
            for proof in explained.proofs
            if proof.differs
        ],
        "open_lots": _open_lots(account, now),
        "lines": [_line(movement, told[movement.entry_id]) for movement in reversed(explained.movements)],
        "sealed_lines": [_line(movement, told[movement.entry_id]) for movement in reversed(explained.sealed)],
        "differs": [each.as_dict() for each in explained.complaints],
    }


def _open_lots(account: Account, now: datetime) -> list[dict[str, Any]]:
    """Return the lots of which something is left, due first first, at most fifty; none where the account keeps none."""
    if not account.keeps_lots:
        return []
    rows = lot_pages.open_of(account, OPEN_LOTS_MOST)
    held = held_at(rows, now)
    return [
        {
            "lot": row.lot_id,
            "kind": row.lot.kind,
            "granted_by": row.lot.line.entry.reference,
            "granted_on": row.lot.granted_on.isoformat(),
            "due_on": row.due_on.isoformat() if row.due_on else None,
            "amount": row.lot.amount,
            "remaining": row.remaining,
            "held": held[row.lot_id],
        }
        for row in rows
    ]


def _seal(seal: Seal | None, *, holds: bool | None) -> dict[str, Any] | None:
    if seal is None:
        return None
    return {
        "number": seal.number,
        "period": seal.period.name,
        "ends_on": seal.period.ends_on.isoformat(),
        "digest": bytes(seal.digest).hex(),
        "sealed_at": instants.stamp(seal.sealed_at),
        "recomputes": holds,
    }


def _line(movement: Movement, told: Provenance) -> dict[str, Any]:
    return {
        "entry": movement.entry_id,
        "date": movement.effective_on.isoformat(),
        "reference": movement.reference,
        "description": movement.description,
        "amount": movement.amount,
        "running": movement.known_running,
        "balance_after": movement.balance_after,
        "reverses": movement.reverses,
        "prior_period": movement.is_prior_period,
        "posted_at": instants.stamp(movement.posted_at),
        "posted_by": movement.posted_by,
        "origin": {
            "kind": movement.origin_kind,
            "number": movement.origin_id,
            "batch": None,
            "line": None,
            "sentence": told.sentence,
            **told.facts,
        },
    }
