"""The rules that only files with groups, totals by value, or an end record with totals can break.

Each is its severity, its code, what is seen then, what would make it pass, and which of the facts are amounts.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_SUMS = frozenset({"expected", "found"})
_NONE: frozenset[str] = frozenset()

GROUPS: tuple[tuple[str, str, Promise | str, Promise | str, frozenset[str]], ...] = (
    (
        "error",
        "line.group_header_missing",
        _("A trailer marked {marker} stands here, and no header before it: group {group} has none."),
        _("Send each group with its header on its first line, and its records behind that."),
        _NONE,
    ),
    (
        "error",
        "line.group_trailer_missing",
        _("Group {group}, which begins on this line, has no trailer marked {marker}."),
        _("Send the whole file; without its trailer nothing says that no record of the group was lost."),
        _NONE,
    ),
    (
        "error",
        "line.outside_group",
        _("Records stand in no group, behind group {behind}; there are {lines}, of which this is the first."),
        _("Send records between the header and the trailer of their group only."),
        _NONE,
    ),
    (
        "note",
        "line.group_empty",
        _("Group {group} holds no data records."),
        _("Nothing to do if the sender had nothing to send in it."),
        _NONE,
    ),
    (
        "error",
        "record.header_unread",
        _("Records stand under a header that cannot be read; there are {lines}, of which this is the first."),
        _("Correct the header: the records are read with what it says."),
        _NONE,
    ),
    (
        "error",
        "control.trailer_moved",
        _("The trailer of group {group} says what group {other} holds."),
        _("Send each group whole, with its own trailer behind its own records."),
        _NONE,
    ),
    (
        "error",
        "control.trailer_of_another",
        _("{name} in the trailer is “{found}”, and “{expected}” in the header of its group."),
        _("Send each group whole, with its own trailer behind its own records."),
        _NONE,
    ),
    (
        "error",
        "control.by_value_count_differs",
        _("{name} in the trailer is {expected}; there are {found} records whose {column} is one of: {values}."),
        _("Send the whole file, with a trailer that counts its data records by what they say there."),
        _NONE,
    ),
    (
        "error",
        "control.by_value_sum_differs",
        _("{name} in the trailer is {expected}; the records whose {column} is one of {values} add up to {found}."),
        _("Send the whole file, with a trailer that adds up its data records by what they say there."),
        _SUMS,
    ),
    (
        "error",
        "control.end_groups_differs",
        _("{name} in the end record is {expected}; the file holds {found} groups."),
        _("Send the whole file, with an end record that counts its groups."),
        _NONE,
    ),
    (
        "error",
        "control.end_count_differs",
        _("{name} in the end record is {expected}; the file holds {found} data records."),
        _("Send the whole file, with an end record that counts the data records of all groups."),
        _NONE,
    ),
    (
        "error",
        "control.end_sum_differs",
        _("{name} in the end record is {expected}; the records of the file add up to {found}."),
        _("Send the whole file, with an end record that adds up the data records of all groups."),
        _SUMS,
    ),
    (
        "error",
        "control.end_lines_differs",
        _("{name} in the end record is {expected}; the file holds {found} records, headers and trailers included."),
        _("Send the whole file, with an end record that counts every record, itself included."),
        _NONE,
    ),
    (
        "error",
        "control.end_unverifiable",
        _("{name} in the end record cannot be confirmed: records whose amount cannot be read: {records}."),
        _("Correct the records whose amount cannot be read."),
        _NONE,
    ),
    (
        "error",
        "control.lines_differs",
        _("{name} in the trailer is {expected}; the group has {found} records, header, trailer and continuations included."),
        _("Send the whole file, with a trailer that counts every record of its group, itself included."),
        _NONE,
    ),
    (
        "error",
        "control.total_differs",
        _("{name} in the trailer is {expected}; header and records of the group add up to {found}."),
        _("Send the whole file, with a trailer that adds up its group."),
        _SUMS,
    ),
    (
        "error",
        "control.end_sections_differs",
        _("{name} in the end record is {expected}; the file holds {found} sections."),
        _("Send the whole file, with an end record that counts its sections."),
        _NONE,
    ),
    (
        "error",
        "control.end_total_differs",
        _("{name} in the end record is {expected}; headers and records of all groups add up to {found}."),
        _("Send the whole file, with an end record that adds up all of its groups."),
        _SUMS,
    ),
    (
        "error",
        "line.section_header_missing",
        _("A section’s trailer stands here, and no header marked {marker} before it."),
        _("Send each section with its header on its first line, and its groups behind that."),
        _NONE,
    ),
    (
        "error",
        "line.section_trailer_missing",
        _("Section {section}, which begins on this line, has no trailer marked {marker}."),
        _("Send the whole file; without its trailer nothing says that no group of the section was lost."),
        _NONE,
    ),
    (
        "error",
        "line.outside_section",
        _("The group that begins on this line stands in no section: no header marked {marker} is before it."),
        _("Send groups between the header and the trailer of their section only."),
        _NONE,
    ),
    (
        "error",
        "control.section_groups_differs",
        _("{name} in the trailer of section {section} is {expected}; the section holds {found} groups."),
        _("Send the whole file, with a trailer that counts the groups of its section."),
        _NONE,
    ),
    (
        "error",
        "control.section_lines_differs",
        _("{name} in the trailer of section {section} is {expected}; the section has {found} records, continuations included."),
        _("Send the whole file, with a trailer that counts every record of its section, itself included."),
        _NONE,
    ),
    (
        "error",
        "control.section_total_differs",
        _("{name} in the trailer of section {section} is {expected}; its groups add up to {found}."),
        _("Send the whole file, with a trailer that adds up its groups."),
        _SUMS,
    ),
    (
        "error",
        "control.section_unverifiable",
        _("{name} in the trailer of section {section} cannot be confirmed: records that cannot be read: {records}."),
        _("Correct the records that cannot be read."),
        _NONE,
    ),
)
