"""The definition of the source ``till``, which the small world of ingestion has."""

DEFINITION = r"""
[source]
code = "till"
name = "Purchases at the till"
name_pattern = 'till-(?P<business_date>\d{4}-\d{2}-\d{2})-(?P<sequence>\d{1,12})\.csv'

[limits]
set_aside = @set_aside@
line_bytes = 200
chunk_records = @chunk_records@
merged = "@merged@"

[layout]
format = "delimited"
encoding = "@encoding@"
delimiter = ","
quote = '"'
line_ending = "lf"

[layout.header]
marker = "H"
columns = [
  { name = "source", kind = "identifier", constant = "till" },
  { name = "business_date", kind = "date", format = "YYYY-MM-DD" },
  { name = "sequence", kind = "count" },
]

[layout.data]
marker = "D"
columns = [
  { name = "member", kind = "identifier", width = 20 },
  { name = "shop", kind = "identifier", width = 10 },
  { name = "slip", kind = "identifier", width = 20 },
  { name = "amount", kind = "amount", minimum = -1000000000000000 },
  { name = "bought_at", kind = "instant", format = "YYYY-MM-DDTHH:MM:SSZ" },
]

[layout.trailer]
marker = "T"
columns = [
  { name = "count", kind = "count" },
  { name = "sum", kind = "amount", minimum = -1000000000000000 },
]

[layout.end]
marker = "E"
columns = []

[roles]
key = ["slip"]
holder = "member"
holder_kind = "member_number"
amount = "amount"
header_business_date = "business_date"
header_sequence = "sequence"
trailer_count = "count"
trailer_sum = "sum"

[[posting]]
book = "CARD"
amount = "amount"
per = 1
effective = "bought_at"
debit = { role = "receivable" }
credit = { code = "settlement.{shop}" }
description = "Purchase at shop {shop}, slip {slip}"

[[posting]]
book = "POINTS"
amount = "amount"
per = 100
effective = "bought_at"
debit = { code = "programme.expense" }
credit = { role = "points" }
description = "Points for slip {slip}"
"""
