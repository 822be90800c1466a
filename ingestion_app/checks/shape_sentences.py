"""What is said of a file that looks unlike comparable earlier ones: the same weekday, or the same place in the month, of the same source."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ASK = _(
    "Ask the sender. If the file is right, finance acknowledges it with the reason; else withdraw the batch and ask for the right file."
)

# (severity, code, what is seen, what would make it pass)
SHAPE: tuple[tuple[str, str, Promise | str, Promise | str], ...] = (
    ("alert", "shape.count_outside", _("The file holds {found} records; comparable files held {least} to {most}."), ASK),
    ("alert", "shape.sum_outside", _("The records add up to {found}; those of comparable files to {least} to {most}."), ASK),
    ("alert", "shape.average_outside", _("{name} is {found} on the average; in comparable files it was {least} to {most}."), ASK),
    ("alert", "shape.largest_outside", _("The largest {name} is {found}; in comparable files it was {most}."), ASK),
    (
        "alert",
        "shape.sizes_moved",
        _(
            "The sizes of {name} are spread otherwise than in comparable files: by {found}, which differ among themselves by {most}."
        ),
        ASK,
    ),
    (
        "alert",
        "shape.endings_moved",
        _(
            "The last digits of {name} are others than in comparable files, as if it were rounded: by {found}, against {most} among themselves."
        ),
        ASK,
    ),
    (
        "alert",
        "shape.digits_moved",
        _("The first digits of {name} are others than in comparable files: by {found}, which differ among themselves by {most}."),
        ASK,
    ),
    ("alert", "shape.negative_gone", _("No {name} is below zero; in comparable files {share} of the records were."), ASK),
    ("alert", "shape.zero_gone", _("No {name} is zero; in comparable files {share} of the records were."), ASK),
    ("alert", "shape.positive_gone", _("No {name} is above zero; in comparable files {share} of the records were."), ASK),
    ("alert", "shape.negative_new", _("{name} is below zero in {share} of the records; in no comparable file it ever was."), ASK),
    ("alert", "shape.zero_new", _("{name} is zero in {share} of the records; in no comparable file it ever was."), ASK),
    ("alert", "shape.positive_new", _("{name} is above zero in {share} of the records; in no comparable file it ever was."), ASK),
    ("alert", "shape.nulls_outside", _("{name} is empty in {share} of the records; in comparable files in up to {most}."), ASK),
    (
        "alert",
        "shape.lengths_moved",
        _(
            "The values of {name} are of other lengths than in comparable files: by {found}, which differ among themselves by {most}."
        ),
        ASK,
    ),
    (
        "alert",
        "shape.field_moved",
        _(
            "The values of {name} are spread otherwise than in comparable files: by {found}, which differ among themselves by {most}."
        ),
        ASK,
    ),
    ("alert", "shape.value_new", _("{name} is {value} in {share} of the records; no comparable file has that value."), ASK),
    (
        "alert",
        "shape.value_gone",
        _("Hardly any {name} is {value}; in comparable files at least {share} of the records were."),
        ASK,
    ),
    (
        "alert",
        "shape.value_moved",
        _("{name} is {value} in {share} of the records; the nearest comparable file has {most}."),
        ASK,
    ),
    (
        "alert",
        "shape.value_amounts_up",
        _("Where {name} is {value}, amounts are about {times} times those of comparable files."),
        ASK,
    ),
    (
        "alert",
        "shape.value_amounts_down",
        _("Where {name} is {value}, amounts of comparable files are about {times} times those of this one."),
        ASK,
    ),
    (
        "alert",
        "shape.hours_shifted",
        _("The hours of {name} are those of comparable files, but {hours} hours later (a minus: earlier): a clock is off."),
        ASK,
    ),
    (
        "alert",
        "shape.hours_moved",
        _("The hours of {name} are others than in comparable files: by {found}, which differ among themselves by {most}."),
        ASK,
    ),
    (
        "alert",
        "shape.day_gone",
        _("The day {days} days from the business date has {share} of the records; in comparable files it had at least {most}."),
        ASK,
    ),
    (
        "alert",
        "shape.days_moved",
        _("The days of {name} are others than in comparable files: by {found}, which differ among themselves by {most}."),
        ASK,
    ),
    (
        "alert",
        "shape.file_missing",
        _("The file before it is of {found} days ago; comparable files came {most} days after the one before."),
        ASK,
    ),
    (
        "alert",
        "shape.holders_new",
        _("{share} of the members were in no comparable file; of theirs at most {most} were in none of the others."),
        ASK,
    ),
    (
        "alert",
        "shape.holder_gone",
        _("A member who had at least {most} of the records of each comparable file is all but gone."),
        ASK,
    ),
    (
        "alert",
        "shape.relation_broken",
        _(
            "Records that follow each other with the same {name} never had two of {other} in comparable files; here {count} times."
        ),
        ASK,
    ),
    (
        "alert",
        "shape.relation_moved",
        _(
            "{name} and {other} go together otherwise than in comparable files: by {found}, which differ among themselves by {most}."
        ),
        ASK,
    ),
    (
        "alert",
        "shape.records_repeated",
        _("{share} of the records equal another one in all but {name}; in comparable files at most {most}."),
        ASK,
    ),
    (
        "alert",
        "shape.run_of_equal",
        _("{found} equal records follow each other, but for their keys; in comparable files at most {most}."),
        ASK,
    ),
    (
        "alert",
        "shape.records_of_earlier",
        _("{share} of the records are those of batch {batch} of {date}, but for their day and {name}."),
        ASK,
    ),
    (
        "note",
        "shape.drifted",
        _("{name} is spread a little otherwise than in comparable files: by {found}, which differ among themselves by {most}."),
        _("Nothing to do. Where it goes on, look at what the sender has changed."),
    ),
    (
        "note",
        "shape.day_shut",
        _("The day {days} days from the business date has no records, and the day before it ends early, as where all are shut."),
        _("Nothing to do where everybody was shut on that day."),
    ),
)

# Which facts of these are amounts.
AMOUNTS: dict[str, frozenset[str]] = {
    "shape.sum_outside": frozenset({"found", "least", "most"}),
    "shape.average_outside": frozenset({"found", "least", "most"}),
    "shape.largest_outside": frozenset({"found", "most"}),
}
