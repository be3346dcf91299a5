"""When a message may leave, when it is tried again, and what the centre may do with one that did not arrive. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import StrEnum

from server.kernel.clock import BEIJING
from server.kernel.outbox_state import State

MOST_ATTEMPTS = 6
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=30), timedelta(hours=1)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(minutes=30)
AFTER_MIDNIGHT, SPREAD = timedelta(minutes=5), timedelta(minutes=10)


def quiet_until(now: datetime, from_hour: int, until_hour: int) -> datetime | None:
    """When the quiet hours that `now` lies in end; None outside of them. Hours of the day in Beijing.

    From 22 to 7 spans midnight, from 12 to 14 does not; the same hour twice means none.
    """
    here = now.astimezone(BEIJING)
    hour = here.hour
    within_a_day = from_hour <= until_hour
    after, before = hour >= from_hour, hour < until_hour
    if not (after and before if within_a_day else after or before):
        return None
    end = datetime.combine(here.date(), time(until_hour), BEIJING)
    return (end if end > here else end + timedelta(days=1)).astimezone(now.tzinfo)


def retry_after(attempts: int, chance: float) -> timedelta:
    """How long a message waits after its `attempts`th attempt (from 1): doubling from 30 s to an hour.

    `chance` in [0, 1) takes up to half of it away, so that messages that failed together do not come back together.
    """
    return _jittered(FIRST_RETRY, attempts, LONGEST_RETRY, chance)


def pause_after(failures: int, chance: float) -> timedelta:
    """How long nothing is sent at all after so many runs in a row that met a failing WeChat: doubling from 15 s to 30 min."""
    return _jittered(FIRST_PAUSE, failures, LONGEST_PAUSE, chance)


def _jittered(first: timedelta, times: int, longest: timedelta, chance: float) -> timedelta:
    doublings = min(times - 1, 20)  # more would be longer than the longest, and too long for a timedelta
    whole: timedelta = min(first * 2**doublings, longest)
    return whole * (1 - chance / 2)


def next_quota_day(now: datetime, chance: float) -> datetime:
    """After midnight in Beijing, when WeChat counts anew (45009); spread over ten minutes by `chance`."""
    tomorrow = now.astimezone(BEIJING).date() + timedelta(days=1)
    midnight = datetime.combine(tomorrow, time(0), BEIJING).astimezone(now.tzinfo)
    return midnight + AFTER_MIDNIGHT + SPREAD * chance


class Answer(StrEnum):
    """What `wx.requestSubscribeMessage` says of a template: https://developers.weixin.qq.com/miniprogram/dev/api/open-api/subscribe-message/wx.requestSubscribeMessage.html"""

    ACCEPT = "accept"
    ACCEPT_WITH_ALERT = "acceptWithAlert"
    ACCEPT_WITH_AUDIO = "acceptWithAudio"
    REJECT = "reject"
    BAN = "ban"
    FILTER = "filter"

    @property
    def grants(self) -> bool:
        """One more message may be sent."""
        return self in (Answer.ACCEPT, Answer.ACCEPT_WITH_ALERT, Answer.ACCEPT_WITH_AUDIO)


class Action(StrEnum):
    """What the centre may do with a message."""

    SEND_AGAIN = "SEND_AGAIN"
    STOP = "STOP"


MAY_BE_DONE: dict[Action, tuple[State, ...]] = {
    Action.SEND_AGAIN: (State.DEAD,),
    # What may have arrived is never sent again; it can be put aside.
    Action.STOP: (State.DEAD, State.UNCERTAIN, State.WAITING),
}
"""Action → the states in which it is possible."""

REASONS = {
    "no-phone": "收件人没有绑定微信",
    "no-template": "这类消息没有设置微信模板",
    "no-grant": "收件人没有订阅这类消息",
    "refused": "收件人拒收（43101）",
    "unknown-kind": "平台没有登记这类消息",
    "missing-field": "消息缺少模板要显示的内容",
    "unavailable": "微信多次没有接受",
    "limited": "微信当日额度用完",
    "no-answer": "微信没有回应，可能已经送达",
    "sender-died": "发送时服务中断，可能已经送达",
}
_ERRCODES = {
    40001: "小程序的访问凭证无效，请检查 AppID 和 AppSecret",
    40003: "收件人的微信标识无效",
    40037: "模板编号无效，请核对消息模板",
    41030: "小程序页面路径无效",
    45009: "微信当日额度用完",
    47003: "模板的字段与平台设置不一致，请核对消息模板",
}


def reason_words(reason: str, errcode: int | None) -> str:
    """Why a message is where it is, for whoever has to do something about it."""
    if errcode in _ERRCODES:
        return f"{_ERRCODES[errcode]}（{errcode}）"
    words = REASONS.get(reason, reason)
    return f"{words}（{errcode}）" if errcode is not None else words
