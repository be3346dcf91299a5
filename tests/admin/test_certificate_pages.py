"""The pages of certificates over HTTP: issuing, the ledger, and what the public sees."""

import io
import zipfile
from datetime import timedelta

import openpyxl
import orjson
import pytest

from server.certificates import signing
from server.certificates.documents import Certificate
from server.kernel.platform import Platform
from server.ledger import roots
from server.ledger import service as ledger
from server.wechat.simulator import Simulator
from tests import cast
from tests.admin.browserless import Browser, sign_in
from tests.asking import ask_on_page
from tests.certifying import certificates_of, issued, passed_class
from tests.printed import open_pdf, text_of
from tests.stage import ClassInSession
from tests.surveying import clock_of


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await passed_class(platform, wechat, 3)


@pytest.fixture
async def found(platform: Platform, opened: ClassInSession) -> list[Certificate]:
    return await issued(platform, opened)


async def test_an_institution_issues_and_takes_the_certificates_along(
    platform: Platform, site: str, opened: ClassInSession
) -> None:
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    home = f"/admin/classes/{opened.id}/certificates"
    before = await mine.get(home)
    assert "核发 3 张证书" in before.text and f"{home}.zip" not in before.html
    nothing = await mine.get(f"{home}.zip")
    assert nothing.status == 409 and "没有可以打印的证书" in nothing.text
    assert (await mine.post(f"{home}/issue")).status == 303
    meanwhile = await mine.get(home)
    assert "正在制作：已完成 0 / 3 张" in meanwhile.text and f'hx-get="{home}"' in meanwhile.html
    assert "待签" in meanwhile.text and f"{home}.zip" not in meanwhile.html
    await signing.sign_waiting(platform)
    after = await mine.get(home)
    assert "hx-get" not in after.html.partition('id="certificates-live"')[2] and "待签" not in after.text
    assert "130092026033003" in after.text
    again = await mine.post(f"{home}/issue")
    assert again.status == 303 and "没有需要核发的证书" in (await mine.get(home)).text
    archive = await mine.get(f"{home}.zip")
    assert archive.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(archive.body)) as unpacked:
        assert len(unpacked.namelist()) == 3
    made = await certificates_of(platform, opened.officer, opened.id)
    book = open_pdf((await mine.get(f"{home}.pdf")).body)
    in_order = zip(sorted(one.printed.serial for one in made), book.pages, strict=True)
    assert all(serial in sheet.extract_text() for serial, sheet in in_order)
    assert await platform["audit"].count_documents({"action": "certificates:print-class"}) == 2
    [first, *_] = made
    pdf = await mine.get(f"/admin/certificates/{first.id}/pdf")
    assert first.printed.number in text_of(pdf.body)


async def test_an_order_that_runs_out_is_said_on_the_page(
    platform: Platform, site: str, opened: ClassInSession
) -> None:
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    await platform["sequences"].insert_one({"_id": "certificate-number:130092026033", "taken": 998})
    refused = await mine.post(f"/admin/classes/{opened.id}/certificates/issue")
    assert refused.status == 409 and "还剩 1 个顺序号" in refused.text and "可以核发" in refused.text


async def test_the_ledger_is_searched_exported_and_leads_to_each_certificate(
    platform: Platform, site: str, found: list[Certificate]
) -> None:
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    ledger = await mine.get("/admin/certificates")
    assert all(one.printed.number in ledger.text and one.printed.name in ledger.text for one in found)
    one = found[1]
    narrowed = await mine.get(f"/admin/certificates?q={one.printed.number}&year=2026&level=3")
    assert one.printed.number in narrowed.text and found[0].printed.number not in narrowed.text
    assert "没有符合条件的证书" in (await mine.get("/admin/certificates?year=2025")).text
    export = await mine.get("/admin/certificates/export?level=3")
    rows = list(openpyxl.load_workbook(io.BytesIO(export.body))["证书台账"].values)
    assert rows[0][:3] == ("证书序列号", "证书编号", "姓名")
    assert [row[1] for row in rows[1:]] == [each.printed.number for each in found[::-1]]
    assert rows[1][3] == found[-1].printed.id_number_masked
    taken = await platform["audit"].find_one({"action": "exports:take"})
    assert taken is not None and taken["facts"] == {"list": "证书台账", "taken": len(found)}
    shown = await mine.get(f"/admin/certificates/{one.id}")
    assert shown.status == 200 and "工学一体化课程教学实施" in shown.text


async def test_an_institution_revokes_with_a_reason(
    platform: Platform, site: str, found: list[Certificate]
) -> None:
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    home = f"/admin/certificates/{found[0].id}"
    typed = {"typed": f"证书编号：{found[0].printed.number}"}
    short = await mine.post(f"{home}/revoke", typed | {"reason": "错"})
    assert short.status == 422 and "data-dialog-show" in short.html and ">错</textarea>" in short.html
    for number in ("", found[1].printed.number):  # a browser without its scripts, or the wrong tab
        another = await mine.post(f"{home}/revoke", {"reason": "姓名登记有误", "typed": number})
        assert another.status == 422 and f"请输入这张证书的编号“{found[0].printed.number}”" in another.text
        assert "data-dialog-show" in another.html and ">姓名登记有误</textarea>" in another.html
    assert "补发" in (await mine.get(home)).text  # that there is none yet, before it is done
    assert (await mine.post(f"{home}/revoke", typed | {"reason": "姓名登记有误"})).status == 303
    after = await mine.get(home)
    assert "已撤销" in after.text and f"{home}/pdf" not in after.html
    assert (await mine.post(f"{home}/revoke", typed | {"reason": "再撤一次吧"})).status == 409
    assert (await mine.get(f"{home}/pdf")).status == 409
    public = await Browser(site).get(f"/verify/{found[0].token}")
    assert public.status == 200 and "证书已撤销" in public.text and "姓名登记有误" in public.text


async def test_the_province_and_the_centre_read_and_a_neighbour_finds_nothing(
    platform: Platform, site: str, opened: ClassInSession, found: list[Certificate]
) -> None:
    one = found[0]
    pages = (f"/admin/classes/{opened.id}/certificates", f"/admin/certificates/{one.id}")
    for officer in (cast.HEBEI_OFFICER, cast.CENTRE):
        reader = await sign_in(platform, site, officer)
        for page in pages:
            shown = await reader.get(page)
            assert shown.status == 200 and one.printed.number in shown.text
            assert 'method="post"' not in shown.html.partition("<main")[2]
        for forbidden in (f"{pages[1]}/pdf", f"{pages[0]}.zip"):
            assert (await reader.get(forbidden)).status == 403
        assert (await reader.post(f"{pages[0]}/issue")).status == 403
    neighbour = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    for page in (*pages, f"{pages[1]}/pdf", f"{pages[0]}.zip"):
        assert (await neighbour.get(page)).status == 404
    assert (await neighbour.post(f"{pages[1]}/revoke", {"reason": "不是我的证书"})).status == 404
    assert one.printed.number not in (await neighbour.get("/admin/certificates")).text


async def test_anybody_asks_on_the_public_page(site: str, found: list[Certificate]) -> None:
    anybody = Browser(site)
    assert "填写任意两项" in (await anybody.get("/certificates/query")).text
    person = cast.people(3)[0]
    form = {"name": person.name, "id_number": person.id_number}
    shown = await ask_on_page(anybody, form)
    assert shown.status == 200 and "证书有效" in shown.text and found[0].printed.number in shown.text
    assert person.id_number not in shown.html
    missed = await ask_on_page(anybody, form | {"name": "查无此人"})
    assert missed.status == 404 and "没有查到相符的证书" in missed.text and "查无此人" in missed.html
    one = await anybody.post("/certificates/query", {"name": person.name})
    assert one.status == 422 and "恰好两项" in one.text


async def test_the_qr_code_opens_all_that_the_paper_shows(site: str, found: list[Certificate]) -> None:
    anybody = Browser(site)
    shown = await anybody.get(f"/verify/{found[0].token}")
    printed = found[0].printed
    wanted = [
        printed.name,
        "*" * 14 + printed.id_number_masked[-4:],
        "2026年3月16日至2026年3月27日",
        "工学一体化三级教师培训",
    ]
    wanted += ["机械类", *printed.courses, "80 课时", "合格", printed.issuer, printed.serial, printed.number]
    assert [words for words in wanted if words not in shown.text] == []
    for wrong in ("x", "%00", "A" * 200, "..%2Fadmin", found[0].token + "%20"):
        missing = await anybody.get(f"/verify/{wrong}")
        assert missing.status == 404 and "查无此证" in missing.text, wrong


async def test_the_ledger_is_published_for_anybody_and_its_entries_are_shown_to_whom_they_concern(
    platform: Platform, site: str, found: list[Certificate], opened: ClassInSession
) -> None:
    assert "次日凌晨开始公布" in (await Browser(site).get("/ledger")).text
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    await mine.get(f"/admin/certificates/{found[0].id}/pdf")
    one = await mine.get(f"/admin/certificates/{found[0].id}")
    assert f"核发（{opened.officer.name}）" in one.text and "存档下载（" in one.text
    number = found[0].printed.number
    listed = await mine.get(f"/admin/certificates/entries?number={number}")
    assert listed.text.count(number) >= 2 and found[1].printed.number not in listed.text
    exported = await mine.get(f"/admin/certificates/entries/export?number={number}")
    sheet = openpyxl.load_workbook(io.BytesIO(exported.body)).active
    assert sheet is not None
    assert [row[1].value for row in sheet.iter_rows(min_row=2)] == ["存档下载", "核发"]
    yangzhou = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    assert number not in (await yangzhou.get("/admin/certificates/entries")).text

    await ledger.seal(platform)
    await roots.check_and_sign(platform)
    clock_of(platform).advance(timedelta(days=1))
    await roots.check_and_sign(platform)
    later, earlier = orjson.loads((await Browser(site).get("/ledger/roots")).body)["items"]
    shown = await Browser(site).get("/ledger")
    assert later["root"] in shown.text and f"earlier={earlier['day']}&amp;later={later['day']}" in shown.html
    days = f"earlier={earlier['day']}&later={later['day']}"
    proof = orjson.loads((await Browser(site).get(f"/ledger/consistency?{days}")).body)
    assert proof["later"] == later and proof["path"] == [], "nothing was entered between"
    assert (await Browser(site).get("/ledger/consistency?earlier=x&later=y")).status == 422
    assert (await Browser(site).get(f"/ledger?before={later['day']}")).status == 200
    assert (await Browser(site).get("/ledger/consistency?earlier=2001-01-01&later=2001-01-02")).status == 404
