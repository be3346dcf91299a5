"""ID and phone numbers of a correction (article 25.4): as they shall be, encrypted, and as a reviewer compares them."""

from __future__ import annotations

from dataclasses import dataclass

from bson.binary import Binary

from server.accounts import people
from server.accounts.documents import Person
from server.accounts.rules import check_id_number, check_phone, mask_phone
from server.corrections import rules
from server.corrections.documents import Change
from server.kernel.clock import beijing_date
from server.kernel.platform import Platform

OF_A_PERSON = {"name": "姓名", "id_number": "身份证号", "phone": "手机号"}


@dataclass(frozen=True)
class Sealed:
    """A number that shall be another, encrypted, and as it is shown to whoever compares."""

    field: str
    before: Binary | None
    after: Binary
    shown_before: str
    shown_after: str

    @property
    def change(self) -> Change:
        title = OF_A_PERSON[self.field]
        return Change(field=self.field, title=title, before=self.shown_before, after=self.shown_after)


async def renumbering(platform: Platform, person: Person, number: str) -> Sealed | None:
    """None where it is right as it is, or empty. Raises IdNumberInvalid, NumberTaken."""
    if not number:
        return None
    check_id_number(number, today=beijing_date(platform.clock.now()))
    present = (await people.id_numbers(platform, [person]))[person.id]
    if number == present:
        return None
    [sealed] = await people.seal(platform, [people.Identity(person.name, number)])
    if await people.known(platform, [sealed]):
        raise people.NumberTaken()
    return Sealed(
        "id_number",
        person.id_number,
        sealed.id_number,
        rules.told_apart(present, number),
        rules.told_apart(number, present),
    )


async def rephoning(platform: Platform, listed: Binary | None, phone: str) -> Sealed | None:
    """The same; `listed` is the number that this institution's rosters have, and vouch for. Raises PhoneInvalid."""
    if not phone:
        return None
    check_phone(phone)
    present = "".join(await platform.vault.decrypt([listed])) if listed else ""
    if phone == present:
        return None
    [after] = await platform.vault.encrypt_searchable([phone])
    return Sealed(
        "phone",
        listed,
        after,
        mask_phone(present) if present else "没有登记",
        mask_phone(phone) + ("（中间四位不同）" if mask_phone(phone) == mask_phone(present) else ""),
    )
