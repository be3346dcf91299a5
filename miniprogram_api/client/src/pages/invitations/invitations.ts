// The letters to me, newest first.
import { get, type Schemas } from "../../api/api";
import { moment, period } from "../../lib/moments";
import { LOADING, show } from "../../lib/show";

type Letter = Schemas["InvitationAnswer"];
const TONES: Record<string, string> = { SENT: "mark-warn", ACCEPTED: "" };
const asRow = (one: Letter) => ({ id: one.id, name: one.class_name, kind: `${one.kind_title} · ${period(one.starts_on, one.ends_on)}`, institution: one.institution_name, mark: one.state_title, tone: TONES[one.state] ?? "mark-soft", due: one.state === "SENT" ? `请在 ${moment(one.reply_by)} 前答复` : "" });

Page({
  data: { ...LOADING, rows: [] as ReturnType<typeof asRow>[], next: null as string | null },
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const found = await get("/teaching/invitations");
      return found.items.length ? { rows: found.items.map(asRow), next: found.next } : null;
    });
  },
  async onReachBottom() {
    const { next } = this.data;
    if (!next) return;
    this.setData({ next: null });
    await show(this, async () => {
      const found = await get("/teaching/invitations", {}, { cursor: next });
      return { rows: [...this.data.rows, ...found.items.map(asRow)], next: found.next };
    });
  },
  open(event: WechatMiniprogram.TouchEvent) {
    void wx.navigateTo({ url: `/pages/invitation/invitation?id=${event.currentTarget.dataset["id"]}` });
  },
});
