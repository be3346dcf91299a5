"""What WeChat itself calls: the pushes of its server, and the pictures that it fetches to judge them."""

from __future__ import annotations

from miniprogram_api.handler import ApiHandler
from server.kernel import downloads
from server.kernel.errors import TooLarge
from server.kernel.permissions import Permission
from server.kernel.web import Route, allow
from server.messages import wechat_events
from server.wechat import content
from server.wechat.pushes import LARGEST


class WeChatPush(ApiHandler):
    """The address of 消息推送: GET answers whether it is ours, POST takes an event. Who calls is proved by the signature."""

    @allow(Permission.ANYONE)
    def get(self) -> None:
        text = wechat_events.answer_echo(self.platform, self._query())
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(text)

    @allow(Permission.ANYONE)
    async def post(self) -> None:
        if len(self.request.body) > LARGEST:
            raise TooLarge()
        await wechat_events.receive(self.platform, self._query(), self.request.body)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("success")

    def _query(self) -> dict[str, str]:
        return {
            name: values[-1].decode("utf-8", "replace")
            for name, values in self.request.query_arguments.items()
        }


class SealedMedia(ApiHandler):
    """A picture for WeChat's content check, by a link that lives for minutes."""

    @allow(Permission.ANYONE)
    async def get(self, file_id: str, expires: str, seal: str) -> None:
        await downloads.send(self, await content.open_media(self.platform, file_id, int(expires), seal))


ROUTES: list[Route] = [
    (r"/wechat/push", WeChatPush),
    (r"/media/(?P<file_id>[0-9a-f]{24})-(?P<expires>[0-9]{10})-(?P<seal>[0-9a-f]{64})", SealedMedia),
]
