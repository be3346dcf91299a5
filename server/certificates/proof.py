"""What a class's certificates will look like, proven before a number is taken (article 17)."""

from __future__ import annotations

from datetime import date
from typing import Any

from server.certificates import rules
from server.certificates.documents import CertificateSnapshot
from server.certificates.press import press, verify_url
from server.certificates.render import TEMPLATE_VERSION, Sheet
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.kernel.clock import beijing_date
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope
from server.layouts import service as layouts
from server.layouts.documents import Layout
from server.seals import service as seals
from server.seals.service import SealImage

PASSED = "合格"


def words(training_class: TrainingClass, last_day: date, issued_on: date) -> dict[str, Any]:
    """What all certificates of a class say alike."""
    return {
        "training_from": training_class.starts_on,
        "training_to": last_day,
        "level": training_class.level,
        "major": training_class.major_name,
        "courses": tuple(training_class.courses),
        "class_hours": training_class.class_hours,
        "result": PASSED,
        "issuer": training_class.institution_name,
        "issued_on": issued_on,
        "class_name": training_class.name,
        "template_version": TEMPLATE_VERSION,
    }


async def prove_layout(platform: Platform, training_class: TrainingClass) -> None:
    """Draws a sheet with the longest name of the class. Raises TextTooLong: better before a number is spent than on paper."""
    names = [one.name for one in await classes.trainees(platform, training_class.id)]
    if not names:
        return
    place = (training_class.province_code, training_class.institution_code)
    month = rules.year_month(training_class.planned_first_day)
    today = beijing_date(platform.clock.now())
    layout, seal = await look_of(platform, training_class, today)
    proof = CertificateSnapshot(
        **words(training_class, training_class.ends_on, today),
        layout=layout.id if layout else None,
        seal=seal.id if seal else None,
        name="示" * max(map(len, names)),
        id_number="0" * 18,
        serial=rules.serial(*place, rules.SERIAL_LAST),
        number=rules.number(*place, month, training_class.level, rules.NUMBER_LAST),
    )
    await press().pdf(
        Sheet(
            proof,
            verify_url(platform, "0" * 22),
            seal.content if seal else None,
            seal.media_type if seal else "",
            layout,
        )
    )


async def look_of(
    scope: Scope, training_class: TrainingClass, on: date
) -> tuple[Layout | None, SealImage | None]:
    """How what is issued on this day is printed, and with which seal."""
    layout = await layouts.in_force(scope, training_class.level, on)
    return layout, await seals.seal_in_force(scope, training_class.institution_code)
