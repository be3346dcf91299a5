"""Certificates for the tests, and what a reader finds on the printed page."""

import io
from dataclasses import dataclass
from datetime import date
from typing import Any

import pypdf

from server.accounts.fictional import make_person
from server.certificates.documents import CertificateSnapshot
from server.certificates.render import TEMPLATE_VERSION, Sheet
from server.certificates.rules import number, serial, year_month
from server.institutions.rules import Level

MM = 72 / 25.4
MICROTEXT = 2
"""Points, and less."""
PAGE_WIDTH, PAGE_HEIGHT = 297 * MM, 210 * MM
VERIFY_URL = "https://peixun.example.cn/verify/MFRGGZDFMZTWQ2LKNNWG23TPOA"


def a_snapshot(**changes: Any) -> CertificateSnapshot:
    """A 三级 certificate of 邢台技师学院, June 2022, with `changes` to it. `order` changes serial and number."""
    person = make_person(7)
    begins = date(2022, 6, 6)
    level = changes.get("level", Level.THREE)
    order = changes.pop("order", 1)
    fields: dict[str, Any] = {
        "name": person.name,
        "id_number": person.id_number,
        "training_from": begins,
        "training_to": date(2022, 6, 17),
        "level": level,
        "major": "信息类",
        "courses": ("工学一体化课程教学实施", "工学一体化课程考核实施", "教学场所使用管理"),
        "class_hours": 80,
        "result": "合格",
        "issuer": "邢台技师学院",
        "serial": serial("13", "009", order),
        "number": number("13", "009", year_month(begins), level, order),
        "issued_on": date(2022, 6, 20),
        "class_name": "2022年第一期三级教师培训班",
        "template_version": TEMPLATE_VERSION,
    }
    return CertificateSnapshot(**(fields | changes))


SEAL = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 42 42"><g fill="none" stroke="#c8102e">
<circle cx="21" cy="21" r="20" stroke-width="1.2"/>
<path fill="#c8102e" d="M21 13l2 6h6l-5 4 2 6-5-4-5 4 2-6-5-4h6z"/></g></svg>"""
"""A ring with a star."""


def a_sheet(*, verify_url: str = VERIFY_URL, **changes: Any) -> Sheet:
    """Of that certificate, without a seal; `seal`, `seal_type` and `layout` are the sheet's own."""
    own = {name: changes.pop(name) for name in ("seal", "seal_type", "layout") if name in changes}
    return Sheet(a_snapshot(**changes), verify_url, **own)


@dataclass(frozen=True)
class Words:
    """A run of text on the page; `x` and `y`, in points from the lower left corner, are where its baseline begins."""

    text: str
    x: float
    y: float
    size: float


def open_pdf(pdf: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf))


def text_of(pdf: bytes) -> str:
    """All the text in the order of reading, without the breaks of its lines."""
    return open_pdf(pdf).pages[0].extract_text().replace("\n", "")


def words_of(pdf: bytes) -> list[Words]:
    """What an eye reads: the 微缩文字 is left out."""
    words: list[Words] = []

    def keep(text: str, user: list[float], _text_matrix: list[float], _font: object, size: float) -> None:
        if text.strip() and size > MICROTEXT:
            words.append(Words(text.strip(), user[4], user[5], size))

    open_pdf(pdf).pages[0].extract_text(visitor_text=keep)
    return words


def the_one(words: list[Words], text: str) -> Words:
    (found,) = [each for each in words if each.text == text]
    return found
