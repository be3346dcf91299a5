"""What WeChat refused or could not do, in the words of the person who waits for it."""

from __future__ import annotations

from server.kernel.errors import Conflict, Invalid, Problem, Unavailable


class WeChatCodeInvalid(Invalid):
    """The code of `wx.login` (or of `getPhoneNumber`) is unknown, used, too old or blocked."""

    slug = "wechat-code-invalid"
    title = "微信登录凭证无效"
    default_detail = "微信登录凭证已失效，请重新打开小程序登录。"


class WeChatUnavailable(Unavailable):
    """No usable answer: WeChat is busy, slow, unreachable or limits us. Later it may work."""

    slug = "wechat-unavailable"
    title = "微信服务暂时不可用"
    default_detail = "微信服务暂时没有响应，请稍后重试。"


class WeChatUncertain(WeChatUnavailable):
    """The call was made and no usable answer came: whether WeChat did what it was asked is not known."""


class WeChatLimited(WeChatUnavailable):
    """45009: the day's quota of this call is used up; the next one begins at midnight in Beijing."""


class SubscriptionRefused(Conflict):
    """43101: the person has not agreed to (one more) message of this template."""

    slug = "subscription-refused"
    title = "对方未订阅消息"
    default_detail = "对方没有订阅这类消息，微信未发送；请在站内消息中查看。"


class WeChatRefused(Problem):
    """WeChat will refuse this call each time: openid, template, page or a value is wrong (`errcode`)."""

    status = 502
    slug = "wechat-refused"
    title = "微信拒绝了请求"
    default_detail = "微信拒绝了这次请求，请联系平台管理员检查小程序的设置。"
