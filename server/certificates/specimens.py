"""Paper that is no certificate: previews of a layout, the blank form, the calibration page; and certificates laid over a printed form."""

from __future__ import annotations

from datetime import date
from functools import partial

from server.certificates import rules, store
from server.certificates.agreement import require_agreed
from server.certificates.documents import Certificate, CertificateSnapshot
from server.certificates.press import press, verify_url
from server.certificates.render import TEMPLATE_VERSION, CertificateRenderer, Sheet
from server.certificates.service import NothingToPrint, note_print
from server.certificates.sheets import sheets_of
from server.classes import service as classes
from server.institutions.rules import Level
from server.kernel.clock import beijing_date
from server.kernel.downloads import Download
from server.kernel.errors import NotFound
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.layouts import service as layouts
from server.layouts.documents import Layout, Style

NOT_A_CERTIFICATE = "样张"
PREVIEW_WIDTH = 1400


async def preview(platform: Platform, level: Level, style: Style) -> bytes:
    """How a certificate of this level would look, as a JPEG; it says on itself that it is none."""
    today = beijing_date(platform.clock.now())
    sheet = Sheet(
        _specimen(level, today),
        verify_url(platform, "A" * 26),
        layout=Layout(
            level=level,
            version=0,
            style=style,
            effective_from=today,
            reason="",
            set_by="",
            set_at=platform.clock.now(),
        ),
    )
    return await press().draw(lambda renderer: renderer.render_jpeg(sheet, PREVIEW_WIDTH))


async def preview_of_version(platform: Platform, level: Level, version: int) -> bytes:
    """The same of a version that was set; 0 is the program's own. Raises NotFound."""
    layout = await _version(platform, level, version)
    return await preview(platform, level, layout.style if layout else Style())


async def form(platform: Platform, level: Level, version: int) -> Download:
    """The blank form for the printing house. Raises NotFound."""
    layout = await _version(platform, level, version)
    drawn = await press().draw(lambda renderer: renderer.render_form(layout))
    return Download.of(f"{level.label}证书底版-第{version}版.pdf", "application/pdf", drawn)


async def calibration(platform: Platform, actor: Actor) -> Download:
    """The page on which a printer is measured, moved by what its institution has found so far."""
    kept = await layouts.printer(platform, actor)
    moved = {"right": kept.right, "down": kept.down} if kept else {}
    drawn = await press().draw(lambda renderer: renderer.render_calibration(**moved))
    return Download.of("套打校准页.pdf", "application/pdf", drawn)


async def class_overprint(platform: Platform, actor: Actor, class_id: str) -> Download:
    """The words of all valid certificates of a class, to be printed on forms: moved as the institution's printer needs it.

    Raises NotFound, NothingToPrint, CertificateInDoubt, RenderFailed, Unavailable. The look is noted, for whole ID numbers are shown.
    """
    training_class = await classes.get_class(platform, actor, class_id)
    valid = [one for one in (await store.of_class(platform, class_id)).values() if one.valid]
    if not valid:
        raise NothingToPrint()
    await require_agreed(platform, valid)
    kept = await layouts.printer(platform, actor)
    draw = partial(
        CertificateRenderer.render_overprint,
        sheets=await sheets_of(platform, sorted(valid, key=_serial)),
        title=f"{training_class.name}证书（套打）",
        right=kept.right if kept else 0,
        down=kept.down if kept else 0,
    )
    drawn = await press().draw(draw)
    await note_print(platform, actor, class_id, valid)
    return Download.of(f"{training_class.name}证书（套打）.pdf", "application/pdf", drawn)


def _serial(one: Certificate) -> str:
    return one.printed.serial


async def _version(platform: Platform, level: Level, version: int) -> Layout | None:
    if version == 0:
        return None
    found = await layouts.of_level(platform, level)
    layout = next((one for one in found.versions if one.version == version), None)
    if layout is None:
        raise NotFound("没有这一版样式，可能已被撤回。")
    return layout


def _specimen(level: Level, today: date) -> CertificateSnapshot:
    return CertificateSnapshot(
        name="示例姓名",
        id_number="0" * 18,
        training_from=today,
        training_to=today,
        level=level,
        major="信息类",
        courses=("工学一体化课程教学实施", "工学一体化课程考核实施", "教学场所使用管理"),
        class_hours=80,
        result="合格",
        issuer="示例培训机构",
        serial="1100000001",
        number=f"11000{rules.year_month(today)}{level.value}001",
        issued_on=today,
        class_name="示例培训班",
        template_version=TEMPLATE_VERSION,
        mark=NOT_A_CERTIFICATE,
    )
