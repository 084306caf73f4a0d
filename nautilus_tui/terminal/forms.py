"""Groups of forms that people look for together, and how the items of an 8-K are called.

It must not know of widgets. What a form is, in words, comes with each filing.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class FormGroup(NamedTuple):
    """Forms that are looked for together."""

    name: str
    about: str
    forms: tuple[str, ...]


#: The regulator renamed the ownership schedules in December 2024; both names stand for the same.
GROUPS: Final[tuple[FormGroup, ...]] = (
    FormGroup("all", "every form", ()),
    FormGroup("10-K", "annual reports", ("10-K", "10-K/A", "10-KT", "20-F", "20-F/A", "40-F", "40-F/A")),
    FormGroup("10-Q", "quarterly reports", ("10-Q", "10-Q/A", "10-QT")),
    FormGroup("8-K", "current reports", ("8-K", "8-K/A", "6-K", "6-K/A")),
    FormGroup("3/4/5", "insiders", ("3", "3/A", "4", "4/A", "5", "5/A", "144")),
    FormGroup(
        "13D/G",
        "large holders",
        (
            *("SCHEDULE 13D", "SCHEDULE 13D/A", "SCHEDULE 13G", "SCHEDULE 13G/A"),
            *("SC 13D", "SC 13D/A", "SC 13G", "SC 13G/A"),
        ),
    ),
    FormGroup("13F", "managers' holdings", ("13F-HR", "13F-HR/A", "13F-NT", "13F-NT/A")),
    FormGroup("proxy", "shareholders' meetings", ("DEF 14A", "DEFA14A", "PRE 14A", "DEFM14A")),
)

#: What each item of a current report is about.
ITEMS: Final[dict[str, str]] = {
    "1.01": "material agreement",
    "1.02": "agreement ended",
    "1.03": "bankruptcy",
    "1.05": "cybersecurity incident",
    "2.01": "acquisition or disposal",
    "2.02": "results",
    "2.03": "new obligation",
    "2.04": "obligation accelerated",
    "2.05": "exit costs",
    "2.06": "impairment",
    "3.01": "delisting notice",
    "3.02": "unregistered sale of shares",
    "3.03": "holders' rights changed",
    "4.01": "auditor changed",
    "4.02": "statements not to be relied on",
    "5.01": "change of control",
    "5.02": "directors or officers changed",
    "5.03": "bylaws or fiscal year changed",
    "5.05": "code of ethics",
    "5.07": "shareholders' vote",
    "5.08": "nominations",
    "7.01": "Regulation FD disclosure",
    "8.01": "other events",
    "9.01": "exhibits",
}


def group_of(forms: tuple[str, ...]) -> FormGroup | None:
    """Return the group that these forms are, None for others."""
    return next((group for group in GROUPS if group.forms == forms), None)


def forms_called(word: str) -> tuple[str, ...]:
    """Return the forms of a group's name, else the one form that is named."""
    wanted = word.upper()
    found = next((group for group in GROUPS if group.name.upper() == wanted), None)
    return found.forms if found is not None else (wanted,)


def items_said(items: tuple[str, ...]) -> str:
    """Return the items of a current report in words; exhibits only where there is nothing else."""
    told = [ITEMS.get(item, item) for item in items if item != "9.01" or len(items) == 1]
    return ", ".join(told)
