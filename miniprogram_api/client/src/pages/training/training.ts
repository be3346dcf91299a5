// 培训: the classes I attend and those I teach.
import { get, type Schemas } from "../../api/api";
import { meKnown, teaches } from "../../lib/people";
import { period } from "../../lib/moments";
import { LOADING, show } from "../../lib/show";

type Class = Schemas["ClassAnswer"];

const asRow = (one: Class) => ({ id: one.id, name: one.name, when: period(one.starts_on, one.ends_on), institution: one.institution_name, stage: one.condition === "RUNNING" ? one.stage_title : one.condition_title });
type Row = ReturnType<typeof asRow>;

Page({
  data: { ...LOADING, attended: [] as Row[], taught: [] as Row[] },
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const one = await meKnown();
      if (!one.roles.length) return null;
      const attends = one.roles.includes("TRAINEE");
      const [attended, taught] = await Promise.all([attends ? get("/classes") : null, teaches(one) ? get("/teaching/classes") : null]);
      const found = { attended: attended?.items.map(asRow) ?? [], taught: taught?.items.map(asRow) ?? [] };
      return found.attended.length + found.taught.length ? found : null;
    });
  },
  go(event: WechatMiniprogram.TouchEvent) {
    void wx.navigateTo({ url: event.currentTarget.dataset["url"] as string });
  },
  open(event: WechatMiniprogram.TouchEvent) {
    const { id, part } = event.currentTarget.dataset as { id: string; part: string };
    const page = part === "teaching" ? "taught" : "class";
    void wx.navigateTo({ url: `/pages/${page}/${page}?id=${id}` });
  },
});
