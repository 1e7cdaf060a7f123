"""People: names and phones, only to call neighbours for help. Nothing of this reaches the desk, the wire or a log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

PHONE_ALLOWED = (
    "E.164 (+ and 8 to 15 digits), a Chinese mobile (11 digits from 13 to 19), or a landline with its area code"
)
_E164 = re.compile(r"\+[1-9][0-9]{7,14}")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"0[1-9][0-9]{8,10}")


def phone_of(text: str) -> str | None:
    """The number in E.164, spaces and hyphens taken out; None when it is no number that can be called."""
    digits = re.sub(r"[ -]", "", text)
    if _E164.fullmatch(digits):
        return digits if not digits.startswith("+861") or _MOBILE.fullmatch(digits[3:]) else None
    if _MOBILE.fullmatch(digits):
        return f"+86{digits}"
    if digits.startswith("86") and _MOBILE.fullmatch(digits[2:]):
        return f"+{digits}"  # a spreadsheet that took it for a number left the + out
    return f"+86{digits[1:]}" if _LANDLINE.fullmatch(digits) else None


@dataclass(frozen=True, slots=True)
class Contact:
    """One person to reach for a household, site or station; a representation shows neither name nor phone."""

    id: str
    area: str
    of: str
    name: str = field(repr=False)
    phone: str = field(repr=False)


class ContactBook:
    """Contacts by whom they are for, in the order they are to be called."""

    def __init__(self, contacts: Iterable[Contact] = ()) -> None:
        self._of: dict[tuple[str, str], list[Contact]] = {}
        for contact in contacts:
            self.add(contact)

    def add(self, contact: Contact) -> None:
        """One more, to be called after those there are."""
        self._of.setdefault((contact.area, contact.of), []).append(contact)

    def of(self, area: str, owner: str) -> tuple[Contact, ...]:
        """Whom to call for a premises or station."""
        return tuple(self._of.get((area, owner), ()))

    def lists(self) -> Iterator[list[Contact]]:
        """Contacts by whom they are for."""
        return iter(self._of.values())

    def __iter__(self) -> Iterator[Contact]:
        return (contact for contacts in self._of.values() for contact in contacts)

    def __len__(self) -> int:
        return sum(map(len, self._of.values()))

    def __repr__(self) -> str:
        return f"ContactBook({len(self)} contacts)"
