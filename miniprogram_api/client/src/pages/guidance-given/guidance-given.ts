// The follow-up guidance that I logged, last first, and what its trainee said to it.
import { get, type Schemas } from "../../api/api";
import { day } from "../../lib/moments";
import { LOADING, show } from "../../lib/show";

const TONES: Record<string, string> = { WAITING: "mark-warn", DISPUTED: "mark-danger" };
const asRow = (one: Schemas["GuidanceAnswer"]) => ({ id: one.id, title: `${one.trainee_name} · ${one.way_title} ${one.minutes} 分钟`, note: `${day(one.given_on)} · ${one.class_name}`, about: one.about, objection: one.objection, mark: one.state_title, tone: TONES[one.state] ?? "" });

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
      const found = await get("/teaching/guidance");
      return { rows: found.items.map(asRow), next: found.next };
    });
  },
  async onReachBottom() {
    const { next } = this.data;
    if (!next) return;
    this.setData({ next: null });
    await show(this, async () => {
      const found = await get("/teaching/guidance", {}, { cursor: next });
      return { rows: [...this.data.rows, ...found.items.map(asRow)], next: found.next };
    });
  },
  log() {
    void wx.navigateTo({ url: "/pages/guidance-log/guidance-log" });
  },
});
