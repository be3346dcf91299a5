// How my teaching was rated in a year; a class is shown once its survey is over and enough have answered.
import { get, type Schemas } from "../../api/api";
import { LOADING, show } from "../../lib/show";

type Mean = Schemas["MeanAnswer"];
const words = (one: Mean) => `${one.mean.toFixed(2)} / 3，${one.answers} 个评分：满意 ${one.counts["3"] ?? 0}、基本满意 ${one.counts["2"] ?? 0}、不满意 ${one.counts["1"] ?? 0}`;
const asRow = (one: Schemas["TaughtClassItem"]) => ({ id: one.class_id, name: one.class_name, note: one.result ? words(one.result) : `${one.responses} 人已评价；评价结束且至少 ${one.smallest_group} 人评价后公布`, mark: one.result ? (one.result.meets_mark ? "达标" : "未达标") : "", tone: one.result?.meets_mark ? "" : "mark-danger" });

Page({
  data: { ...LOADING, year: 0, whole: "", rows: [] as ReturnType<typeof asRow>[] },
  onLoad(query: Record<string, string | undefined>) {
    this.setData({ year: Number(query["year"] ?? 0) });
  },
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const one = await get("/teaching/satisfaction", {}, { year: this.data.year || undefined });
      return { year: one.year, whole: one.result ? words(one.result) : "还没有可以公布的结果。", rows: one.classes.map(asRow) };
    });
  },
});
