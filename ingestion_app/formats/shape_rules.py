"""What a source says of the shape of its files: when a difference from earlier files is told, and when it is an alert."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShapeRules:
    """The ``[shape]`` of a source. Every figure has a default; ``compared`` false: its files are compared with none."""

    compared: bool = True
    earlier_least: int = 4  # comparable files without which nothing is said
    earlier_most: int = 12  # the last of them that a file is compared with
    records_least: int = 100  # in a file with fewer, chance moves more than any fault
    count_percent: int = 150  # how many times the most, or the least, that comparable files had: 150 is one and a half times
    sum_percent: int = 150
    psi_note: int = 100  # population stability index, in thousandths
    psi_alert: int = 250
    psi_unusual: int = 50  # an alert from here on, where comparable files were six times nearer to each other
    value_permille: int = 20  # share of a value that is new, is gone, or has moved
    value_percent: int = 160  # how many times its share that a value moves
    repeated_permille: int = 1  # share of records that equal others in all but their key, beyond what is usual
    earlier_percent: int = 50  # share of records that are those of an earlier file under another day
    holders_percent: int = 10  # share of members who were in no comparable file, beyond what is usual
