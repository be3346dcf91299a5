// Classes that take applications now, by level, fetched page by page.
import { get, type Schemas } from "../../api/api";
import { moment, period } from "../../lib/moments";
import { LOADING, show } from "../../lib/show";

type Item = Schemas["OpenClassItem"];
const LEVELS = [{ level: "", title: "全部" }, { level: "3", title: "三级" }, { level: "2", title: "二级" }, { level: "1", title: "一级" }];

const asRow = (one: Item) => ({ id: one.id, name: one.name, when: period(one.starts_on, one.ends_on), where: `${one.institution_name} · ${one.major_name}`, until: `${moment(one.enrolment_closes)} 截止`, places: one.admitted < one.places ? `余 ${one.places - one.admitted}` : "候补", tone: one.admitted < one.places ? "" : "mark-warn" });

Page({
  data: { ...LOADING, levels: LEVELS, level: "", items: [] as ReturnType<typeof asRow>[], next: null as string | null },
  onLoad() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const { level } = this.data;
      const found = await get("/open-classes", {}, level ? { level } : {});
      return { items: found.items.map(asRow), next: found.next };
    });
  },
  async onReachBottom() {
    const { next, level } = this.data;
    if (!next) return;
    this.setData({ next: null });
    await show(this, async () => {
      const found = await get("/open-classes", {}, { cursor: next, ...(level ? { level } : {}) });
      return { items: [...this.data.items, ...found.items.map(asRow)], next: found.next };
    });
  },
  choose(event: WechatMiniprogram.TouchEvent) {
    this.setData({ level: event.currentTarget.dataset["level"] as string });
    return this.load();
  },
  open(event: WechatMiniprogram.TouchEvent) {
    void wx.navigateTo({ url: `/pages/open-class/open-class?id=${event.currentTarget.dataset["id"]}` });
  },
  mine() {
    void wx.navigateTo({ url: "/pages/applications/applications" });
  },
});
