// 消息: what the platform told me, newest first, fetched page by page.
import { get, post, type Schemas } from "../../api/api";
import { moment } from "../../lib/moments";
import { LOADING, attempt, say, show } from "../../lib/show";
import { open, pageOf } from "../../lib/targets";

type Message = Schemas["MessageAnswer"];
const asRow = (one: Message) => ({ id: one.id, title: one.title, text: one.text, when: moment(one.created_at), read: one.read, url: pageOf(one.target) });

Page({
  data: { ...LOADING, items: [] as ReturnType<typeof asRow>[], next: null as string | null, unread: false, busy: "" },
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const found = await get("/inbox");
      const items = found.items.map(asRow);
      return items.length ? { items, next: found.next, unread: items.some((one) => !one.read) } : null;
    });
  },
  async onReachBottom() {
    const { next } = this.data;
    if (!next) return;
    this.setData({ next: null });
    await show(this, async () => {
      const found = await get("/inbox", {}, { cursor: next });
      return { items: [...this.data.items, ...found.items.map(asRow)], next: found.next };
    });
  },
  open(event: WechatMiniprogram.TouchEvent) {
    open(event.currentTarget.dataset["url"] as string);
  },
  async readAll() {
    const newest = this.data.items[0];
    if (!newest) return;
    const done = await attempt(this, "read", async () => {
      await post("/inbox/read", { up_to: newest.id });
    });
    if (!done) return;
    say("已全部标为已读");
    void wx.removeTabBarBadge({ index: 2 }).catch(() => undefined);
    await this.load();
  },
});
