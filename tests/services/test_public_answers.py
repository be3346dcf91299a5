"""What is told of a file in the hand, of a place in the ledger, and of many certificates at once (article 18)."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Sequence
from io import BytesIO
from urllib.parse import unquote

import openpyxl
import pytest
import xlsxwriter
from pypdf import PdfWriter

from server.certificates import batch, batch_sheet, verify
from server.certificates.batch import BatchQuotaReached
from server.certificates.batch_sheet import NUMBERS_OF_A_NAME, BatchUnreadable
from server.certificates.documents import Certificate, CertificateStatus
from server.certificates.issue import Revocation
from server.certificates.verify import CheckedFile
from server.kernel.errors import FileUnreadable, TooManyRequests
from server.kernel.platform import Platform
from server.kernel.public_questions import Asker
from server.ledger import merkle, roots
from server.ledger import service as ledger
from server.ledger.documents import InclusionProof
from server.reissues import revoking
from server.seals import service as seals
from server.seals.checker import MOST_BYTES
from server.wechat.simulator import Simulator
from tests import cast
from tests.admin.browserless import Browser
from tests.asking import solved, solved_of
from tests.certifying import issued, passed_class
from tests.planning import CHANGZHOU
from tests.security.test_hostile_files import set_policy
from tests.services.test_signing import signed
from tests.stage import ClassInSession


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await passed_class(platform, wechat, 2)


@pytest.fixture
async def found(platform: Platform, opened: ClassInSession) -> list[Certificate]:
    return await issued(platform, opened)


async def revoke(platform: Platform, opened: ClassInSession, one: Certificate) -> None:
    why = Revocation(reason="姓名登记有误", typed=one.printed.number)
    await revoking.revoke(platform, opened.officer, one.id, why)


# ---- a file in the hand


async def file_of(platform: Platform, one: Certificate) -> bytes:
    """The signed PDF that the platform keeps of it."""
    assert one.file is not None
    return b"".join([part async for part in platform.files.read(one.file.file_id)])


async def checked(platform: Platform, content: bytes) -> CheckedFile:
    """Each from an address of its own: what is not ours makes the next question of an address dearer."""
    asker = Asker(hashlib.sha256(content).hexdigest(), solved(platform))
    return await verify.check_file(platform, asker, content)


async def test_the_file_that_was_issued_is_told_with_its_state_and_nothing_else_is(
    platform: Platform, opened: ClassInSession, found: list[Certificate], site: str
) -> None:
    content = await file_of(platform, found[0])
    valid = await checked(platform, content)
    assert valid.paper is not None and valid.paper.number == found[0].printed.number
    assert valid.paper.signature is not None and valid.check.intact
    ours = await checked(platform, signed(await seals.material(platform, cast.XINGTAI), "another"))
    assert ours.check.intact and ours.paper is None and "没有存档" in ours.words
    changed = await checked(platform, content + b"\n% one more line")
    assert changed.paper is None and not changed.check.intact
    await revoke(platform, opened, found[0])
    browser, form = Browser(site), {"proof": await solved_of(site)}
    page = await browser.upload("/certificates/check-file", "file", "证书.pdf", content, form)
    assert page.status == 200 and "证书已撤销" in page.text and "平台存档的证书原件" in page.text
    with pytest.raises(FileUnreadable, match="不是 PDF"):
        await checked(platform, b"no pdf at all")
    large = await browser.upload("/certificates/check-file", "file", "x.pdf", b"x" * (MOST_BYTES + 1))
    assert large.status == 422 and "10 MiB" in large.text


async def test_what_waits_to_be_signed_is_missed_like_what_there_is_not(
    platform: Platform, found: list[Certificate]
) -> None:
    content = await file_of(platform, found[0])
    pending = {"$set": {"status": CertificateStatus.PENDING}}
    await platform["certificates"].update_one({"_id": found[0].id}, pending)
    assert await verify.verify(platform, found[0].token, Asker("192.0.2.8")) is None
    assert (await checked(platform, content)).paper is None


async def test_a_file_that_is_read_again_for_the_same_puzzle_is_counted_again(platform: Platform) -> None:
    await set_policy(platform, "public_misses_of_address", 5)
    stranger = Asker("192.0.2.9", solved(platform))
    blank, writer = BytesIO(), PdfWriter()
    writer.add_blank_page(100, 100)
    writer.write(blank)
    for _ in range(5):
        assert (await verify.check_file(platform, stranger, blank.getvalue())).paper is None
    with pytest.raises(TooManyRequests, match="没有查到"):
        await verify.check_file(platform, stranger, blank.getvalue())


# ---- the ledger


async def test_from_the_next_morning_on_the_page_proves_where_the_ledger_has_it(
    platform: Platform, found: list[Certificate], site: str
) -> None:
    address = f"/verify/{found[0].token}"
    assert "入账证明在入账次日凌晨生成" in (await Browser(site).get(address)).text
    await ledger.seal(platform)
    await roots.check_and_sign(platform)
    page = await Browser(site).get(address)
    [proof] = re.findall(r'href="data:application/json;charset=utf-8,([^"]+)"', page.html)
    taken = InclusionProof.model_validate_json(unquote(html.unescape(proof)))
    path = [bytes.fromhex(one) for one in taken.path]
    leaf = merkle.leaf_hash(taken.leaf.encode())
    root = merkle.root_by_inclusion(leaf, taken.index, taken.signed_root.size, path)
    assert root is not None and root.hex() == taken.signed_root.root
    assert taken.signed_root.root in page.text and found[0].printed.number in taken.leaf


# ---- many at once


def sheet(rows: Sequence[Sequence[str]], *, formulas: int = 0) -> bytes:
    content = BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "constant_memory": False}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["姓名", "身份证号", "证书编号"])
        for place, row in enumerate(rows, start=1):
            page.write_row(place, 0, row)
        for place in range(formulas):
            page.write_formula(len(rows) + 1 + place, 0, "=1+1")
            page.write_formula(len(rows) + 1 + place, 1, "=2+2")
    return content.getvalue()


async def answers(platform: Platform, content: bytes) -> list[tuple[object, ...]]:
    """Row, outcome and words of each line."""
    given = await batch.query(platform, CHANGZHOU, content)
    page = openpyxl.load_workbook(BytesIO(b"".join([part async for part in given.content]))).worksheets[0]
    rows = [[cell.value for cell in row] for row in page.iter_rows(min_row=2)]
    assert not any(person.id_number in str(rows) for person in cast.people(2))
    return [(row[0], row[4], row[5] or "") for row in rows]


async def test_a_sheet_is_answered_line_by_line_and_noted(
    platform: Platform, opened: ClassInSession, found: list[Certificate]
) -> None:
    one, two = cast.people(2)
    await revoke(platform, opened, found[1])
    rows = [
        (one.name, "", found[0].printed.number),
        (two.name, two.id_number, ""),
        ("", one.id_number, found[1].printed.number),
        (one.name, "", ""),
    ]
    assert await answers(platform, sheet(rows, formulas=1)) == [
        (2, "有效", ""),
        (3, "已撤销", ""),
        (4, "没有查到", ""),
        (5, "没有查询", "姓名、身份证号、证书编号至少填写两项。"),
        (
            6,
            "没有查询",
            "姓名：单元格里是公式，不能导入。请复制这一列，用“选择性粘贴”选“数值”贴回原处，再上传。",
        ),
    ]
    noted = await platform["audit"].find_one({"action": "certificates:query-batch"})
    assert noted is not None and noted["facts"] == {"taken": 5, "certificates": 2}


async def test_a_number_is_not_worked_out_and_the_day_has_an_end(
    platform: Platform, found: list[Certificate]
) -> None:
    person = cast.people(2)[0]
    tried = [(person.name, f"{n:018}", "") for n in range(NUMBERS_OF_A_NAME)]
    guesses = sheet([*tried, (person.name, person.id_number, "")])
    assert {said for _, said, _ in await answers(platform, guesses)} == {"没有查询"}
    await set_policy(platform, "batch_query_misses", 3)
    real = (person.name, person.id_number, "")
    given = await answers(platform, sheet([*tried[:4], real]))
    assert [said for _, said, _ in given] == ["没有查到"] * 3 + ["没有查询"] * 2, "no line over the last miss"
    with pytest.raises(BatchQuotaReached, match="已有 3 行没有查到"):
        await answers(platform, sheet(tried[:1]))
    await set_policy(platform, "batch_query_rows", 12)
    with pytest.raises(BatchQuotaReached, match="还可以查 1 行，这个文件有 2 行"):
        await answers(platform, sheet(tried[:2]))


def test_a_file_that_is_too_much_is_told_what_to_do() -> None:
    with pytest.raises(BatchUnreadable, match="一次最多查询 1000 行：请把姓名"):
        batch_sheet.read_lines(sheet([], formulas=100_000))
    with pytest.raises(BatchUnreadable, match="表里有 1001 行"):
        batch_sheet.read_lines(sheet([("甲乙", "1", "")] * 1_001))
    with pytest.raises(BatchUnreadable, match="没有找到表头"):
        batch_sheet.read_lines(_without_header())


def _without_header() -> bytes:
    content = BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        book.add_worksheet().write_string(0, 0, "甲乙")
    return content.getvalue()
