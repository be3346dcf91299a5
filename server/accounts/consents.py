"""What a person is told, and agrees to, before personal data is taken (个人信息保护法 14–17, 29): the texts in force and their version."""

from __future__ import annotations

from dataclasses import dataclass

from server.kernel.errors import Conflict, FieldError

VERSION = "2026-11"


class ConsentOutdated(Conflict):
    slug = "consent-outdated"
    title = "个人信息处理说明已更新"
    default_detail = "您看到的个人信息处理说明不是现行版本。请重新打开页面，阅读后再同意。"

    def __init__(self) -> None:
        words = self.default_detail
        super().__init__(words, fields=[FieldError("consent_version", words)])


@dataclass(frozen=True)
class Consent:
    """One purpose, agreed to by itself."""

    purpose: str
    """Names it: "real-name", "location", "face", "messages"."""
    title: str
    text: str
    needed: bool
    """Whether nothing can be done without it; all others may be refused."""
    withdrawal: str
    """How it is taken back, and what that means."""


CONSENTS = (
    Consent(
        "real-name",
        "实名绑定",
        "为核对您是否在培训名册或骨干教师库中，平台处理您的姓名、身份证号和微信标识；身份证号加密存储，页面上只显示部分数字。"
        "这些信息用于报名、签到、考核和核发培训合格证书，并按档案管理要求保存。",
        True,
        "可在“我的”解除本机绑定，此后本机不能再签到、提交和查看证书。已形成的培训记录、成绩和证书属于培训档案，不因此删除。",
    ),
    Consent(
        "location",
        "签到位置",
        "仅在您扫码签到、且该课次要求核对位置的那一刻，平台读取一次您的位置，与上课地点比较并随签到记录保存。",
        False,
        "可在微信设置中关闭位置权限。不提供位置仍可签到，签到记录会注明没有位置，由授课教师核对。",
    ),
    Consent(
        "face",
        "人脸核验",
        "由微信提供的人脸核验服务比对您本人与身份证信息，平台只接收结果，不接收、不保存人脸图像。",
        False,
        "可不使用。不使用时，可用微信手机号、个人码或到现场核对身份证代替；已得到的核验结果不受影响。",
    ),
    Consent(
        "messages",
        "订阅消息",
        "您逐次同意后，平台通过微信向您发送开班、签到、考核等提醒。",
        False,
        "可在微信设置中关闭。关闭后提醒只显示在小程序的消息中。",
    ),
)


def require_current(version: str) -> None:
    """Raises ConsentOutdated."""
    if version != VERSION:
        raise ConsentOutdated()
