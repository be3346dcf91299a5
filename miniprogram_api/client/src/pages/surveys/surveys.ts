// The surveys that are asked of me, those to be answered first.
import { get, type Schemas } from "../../api/api";
import { moment } from "../../lib/moments";
import { LOADING, show } from "../../lib/show";

type Survey = Schemas["SurveyItem"];

function asRow(one: Survey) {
  const open = one.state === "OPEN" && !one.answered;
  return { id: one.id, name: one.class_name, note: `${one.supplement ? "补充评价 · " : ""}${moment(one.closes_at)} 截止`, mark: one.answered ? "已评价" : open ? "待评价" : one.state === "PLANNED" ? "未开始" : "已截止", tone: open ? "mark-warn" : one.answered ? "" : "mark-soft", open };
}

Page({
  data: { ...LOADING, items: [] as ReturnType<typeof asRow>[] },
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const { items } = await get("/surveys", {}, { limit: 50 });
      const rows = items.map(asRow);
      return rows.length ? { items: [...rows.filter((one) => one.open), ...rows.filter((one) => !one.open)] } : null;
    });
  },
  open(event: WechatMiniprogram.TouchEvent) {
    void wx.navigateTo({ url: `/pages/survey/survey?id=${event.currentTarget.dataset["id"]}` });
  },
});
