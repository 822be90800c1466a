"""The rules that only files of some layouts can break: header rows, rows without markers, marks, and what their columns may be written like.

Each is its severity, its code, what is seen then, and what would make it pass.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LAYOUT: tuple[tuple[str, str, Promise | str, Promise | str], ...] = (
    (
        "error",
        "file.byte_order_mark_missing",
        _("The file does not begin with the byte-order mark of {encoding}."),
        _("Send the file in {encoding} with its mark, or load a version of the source that asks for none."),
    ),
    (
        "error",
        "file.byte_order_mark_differs",
        _("The file begins with the byte-order mark of {found}, and not with that of {encoding}."),
        _("Send the file in {encoding} with its mark, or load a version of the source whose encoding is that of its files."),
    ),
    (
        "error",
        "file.odd_length",
        _("The file has {size} bytes, an odd number; a character of {encoding} has two or four."),
        _("Send the whole file again, as binary: a byte was lost or added on the way, and behind it every character is another."),
    ),
    (
        "error",
        "file.preamble_short",
        _("The file has {lines} lines before its records; the layout has {expected}."),
        _("Send the whole file, with the {expected} lines that stand before the records."),
    ),
    (
        "error",
        "file.nothing_said",
        _("The file holds no records, and nothing in it says that there are none."),
        _("Ask the sender for the file again; a day without records has a header, a header row or a trailer."),
    ),
    (
        "error",
        "file.records_ended",
        _("Records end with {found}; in the layout each stands right behind the one before."),
        _("Send the records without line endings, or load a version of the source whose line_ending is that of its files."),
    ),
    (
        "error",
        "file.header_row_missing",
        _("The first line names none of the columns."),
        _("Send the file with its header row, which begins with “{first}”."),
    ),
    (
        "error",
        "line.heading_missing",
        _("The header row has no column “{name}”."),
        _("Send the column “{name}”, or load a version of the source without it."),
    ),
    (
        "error",
        "line.heading_unknown",
        _("The header row has a column “{found}”, which the layout does not know."),
        _("Send these columns alone: {known}. A column that is not needed has the kind unused in the source."),
    ),
    (
        "error",
        "line.heading_twice",
        _("The header row has the column “{found}” twice."),
        _("Send each column once: which of the two is meant is not guessed."),
    ),
    (
        "error",
        "line.heading_moved",
        _("The header row has “{found}” where the layout has “{expected}”."),
        _("Send the columns in the order of the layout, or load a version of the source that takes them in any order."),
    ),
    (
        "error",
        "line.column_count",
        _("The line has {found} fields; a record has {expected}."),
        _("Send {expected} fields; put quotes around a field that holds the delimiter."),
    ),
    (
        "error",
        "line.trailing_delimiter_missing",
        _("The line ends with “{found}” instead of the delimiter {delimiter}."),
        _("End every line with {delimiter}, as the layout says; a line that was cut off does not end so."),
    ),
    (
        "error",
        "line.width",
        _("The line has {found} bytes; a record has {expected}."),
        _("Send records of {expected} bytes, filled up as the layout says; nothing is cut or filled up here."),
    ),
    (
        "error",
        "line.character_cut",
        _("A character stands in {name} and in the column behind it: it is cut at offset {position}."),
        _("Send texts that end before a character that does not fit, filled up by bytes and not by characters."),
    ),
    (
        "error",
        "record.amount_written_otherwise",
        _("{name} is “{found}”, which is not an amount as the layout has it."),
        _(
            "Write amounts as in {example}, with every sign, separator and decimal where it stands there; nothing is rounded or guessed."
        ),
    ),
    (
        "error",
        "record.value_unknown",
        _("{name} is “{found}”, which is none of its values."),
        _("Send one of: {known}; or load a version of the source that knows the value."),
    ),
    (
        "error",
        "record.form_differs",
        _("{name} is “{found}”, which has not the form {form}."),
        _("Send a value of the form {form}, or load a version of the source with another."),
    ),
    (
        "error",
        "record.sides_unclear",
        _("{plus} and {minus} both hold an amount, or neither of them does."),
        _("Send the amount in one of the two, and leave the other empty or zero."),
    ),
    (
        "error",
        "record.sign_unknown",
        _("{name} is “{found}”, which says neither plus nor minus."),
        _("Send one of: {known}."),
    ),
    (
        "error",
        "line.json_invalid",
        _("The line is no JSON: at character {character} stands “{found}”."),
        _("Send each record as one JSON object on a line of its own, as a library for JSON writes it."),
    ),
    (
        "error",
        "line.json_not_closed",
        _("The line is no JSON: it ends at character {character} before its object is closed."),
        _("Send each record whole, on one line; line endings inside a text are written as \\n."),
    ),
    (
        "error",
        "line.json_constant",
        _("At character {character} stands {found}, which is no number of JSON."),
        _("Send a number, or null where a column may be empty."),
    ),
    (
        "error",
        "line.json_name_twice",
        _("An object of the line has the name “{found}” twice."),
        _("Send each name once in an object: which of the two is meant is not guessed."),
    ),
    (
        "error",
        "line.json_name_unknown",
        _("The line has “{found}”, which the layout does not know."),
        _("Send these alone: {known}; or load a version of the source that knows the name, or allows unknown ones."),
    ),
    (
        "error",
        "line.json_deep",
        _("At character {character} objects and arrays lie in each other more than {most} deep."),
        _("Send objects of at most {most} levels."),
    ),
    (
        "error",
        "line.json_half_character",
        _("At character {character} stands {found}, which is the half of a character."),
        _("Send both halves of the character, or the character itself in UTF-8."),
    ),
    (
        "error",
        "line.json_no_object",
        _("The line holds a value of type {found}, and not an object."),
        _("Send each record as one JSON object on a line of its own."),
    ),
    (
        "error",
        "line.json_marker_unknown",
        _("{path} is “{found}”, which marks no record type."),
        _("Write one of these at {path}: {markers}."),
    ),
    (
        "error",
        "record.json_null",
        _("{name} is null."),
        _("Send a value at {path}, or load a version of the source in which it may be empty."),
    ),
    (
        "error",
        "record.json_absent",
        _("{name} is not there."),
        _("Send a value at {path}, or load a version of the source in which it may be empty."),
    ),
    (
        "error",
        "record.json_type",
        _("{name} cannot be read: “{path}” is of the JSON type {found}, and not {expected}."),
        _("Send a value of the JSON type {expected} at {path}; nothing is converted."),
    ),
    (
        "error",
        "line.record_end_missing",
        _("The line ends with “{found}”, and not with the slash that ends a record; only a text may go on without."),
        _("Send every record whole, with a slash behind its last field: without it a field may have been cut off."),
    ),
    (
        "error",
        "line.funds_invalid",
        _("The kind of funds does not go with the fields behind it: “{found}”."),
        _(
            "Send V with day and time, S with three amounts, D with the number of pairs and as many days and amounts; else 0, 1, 2 or Z alone."
        ),
    ),
    (
        "error",
        "line.summary_cut",
        _("Summary {number} of the account has not its four fields: “{found}”."),
        _("Send of each summary its type code, amount, number of items and kind of funds; what is not known is empty."),
    ),
    (
        "error",
        "line.summary_twice",
        _("The account has the summary {code} twice."),
        _("Send each summary of an account once: which of the two is meant is not guessed."),
    ),
    (
        "error",
        "line.summary_amount",
        _("The summary {code} is “{found}”, which is not an amount."),
        _("Write a whole number of minor units in ASCII digits, with a sign before it or none."),
    ),
    (
        "note",
        "control.none",
        _("The sender sends no control totals: nothing says that no record was lost, doubled or changed on the way."),
        _("Hold count and sum against what the sender says elsewhere; agree with the sender on a trailer."),
    ),
)
