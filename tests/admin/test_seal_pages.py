"""The pages of an institution's seal and signing key, over HTTP: what is uploaded, what comes back refused, the province's review."""

from __future__ import annotations

from server.kernel.platform import Platform
from server.kernel.seen import mark
from server.seals import service
from tests import cast, sealing
from tests.admin.browserless import sign_in

HOME = f"/admin/institutions/{cast.XINGTAI}/signing"


async def test_a_seal_is_filed_looked_at_and_approved(platform: Platform, site: str) -> None:
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    empty = (await mine.get(HOME)).text
    assert "没有使用中的印章" in empty and "不是法定的电子印章" in empty and "还没有签署过证书" in empty
    assert "还没有报送的印章" in (await mine.get("/admin/seals")).text
    assert "请先选择印章图片" in (await mine.post(f"{HOME}/seal")).text
    refused = await mine.upload(f"{HOME}/seal", "file", "印章.jpg", b"\xff\xd8\xff")
    assert refused.status == 422 and "PNG 或 SVG" in refused.text
    filed = await mine.upload(f"{HOME}/seal", "file", "印章.svg", sealing.svg())
    picture = await mine.get(f"{filed.location}/image")
    assert picture.headers["Content-Type"] == "image/png" and picture.body[1:4] == b"PNG"
    assert "sandbox" in picture.headers["Content-Security-Policy"]

    province = await sign_in(platform, site, cast.HEBEI_OFFICER)
    assert "待审核的印章" in (await province.get("/admin")).text
    assert "邢台技师学院" in (await province.get("/admin/seals?state=SUBMITTED")).text
    assert (await province.review(filed.location, "approve")).location == filed.location
    assert "现在核发的证书加盖这枚印章" in (await mine.get(HOME)).text


async def test_a_key_is_taken_once_and_a_wrong_password_is_told_at_its_field(
    platform: Platform, site: str
) -> None:
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    made, form = sealing.pkcs12("邢台技师学院"), {"seen": mark(None), "password": "wrong"}
    refused = await mine.upload(f"{HOME}/key", "key_file", "seal.p12", made, form)
    assert refused.status == 422 and "密码不对" in refused.text and "wrong" not in refused.html
    taken = await mine.upload(
        f"{HOME}/key", "key_file", "seal.p12", made, form | {"password": sealing.PASSWORD}
    )
    assert taken.location == HOME
    shown = await mine.get(HOME)
    assert "试签通过" in shown.text and "本机构自有的密钥" in shown.text
    twice = await mine.upload(
        f"{HOME}/key", "key_file", "seal.p12", made, form | {"password": sealing.PASSWORD}
    )
    assert twice.status == 409 and "变动" in twice.text


async def test_anybody_gets_the_authoritys_certificate(platform: Platform, site: str) -> None:
    mine = await sign_in(platform, site, cast.CENTRE)
    assert (
        await mine.get("/certificates/authority.pem")
    ).status == 404  # nothing was signed yet, and reading makes nothing
    await service.authority(platform)
    assert (await mine.get("/certificates/authority.pem")).body.startswith(b"-----BEGIN CERTIFICATE")
