"""What is refused about files and the disks they lie on."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError, TryAgain


class DiskFull(TryAgain):
    """A disk has no room left: nothing is half written, and the same call may be made again when there is room."""

    code = "disk_full"
    template = _("There is no room left on the disk ({cause}). Nothing was kept: make room, then run the same again.")


class ScannerAway(TryAgain):
    """The scanner did not say whether a file is clean: nothing was kept, and the same call may be made again."""

    code = "scanner_away"
    template = _("The scanner of files gave no answer ({cause}). Nothing was kept: see that it runs, then send the same again.")


class FileNotClean(LedgerError):
    """The scanner found something in a file, of which nothing was kept."""

    code = "file_not_clean"
    template = _("The scanner of files refuses this one, and nothing of it was kept: {said}")


class FileNotRegular(LedgerError):
    """A path leads to a pipe, a device or a folder, from which no end may ever come."""

    code = "file_not_regular"
    template = _("{path} is not a regular file. Write it to a file first, and name that.")


class FileTooLarge(LedgerError):
    """A file that is read whole is larger than any of its kind."""

    code = "file_too_large"
    template = _("{path} has more than {most} bytes, which is no file of this kind.")
