// What was handed in for one task: who waits for a grade first, then who has one, then who has handed in nothing.
import { get, type Schemas } from "../../api/api";
import { filterOf, type Filter } from "../../lib/marking";
import { moment } from "../../lib/moments";
import { LOADING, show } from "../../lib/show";

type Work = Schemas["TraineeWorkAnswer"];
const TITLES: [Filter, string][] = [["waiting", "待批阅"], ["graded", "已批阅"], ["nothing", "未提交"]];

function asRow(one: Work) {
  const handed = one.submission ? `第 ${one.submission.version} 版 · ${moment(one.submission.submitted_at)}${one.submission.late ? " · 迟交" : ""}` : "";
  return { id: one.person_id, name: one.name, number: one.id_number_masked, unit: one.work_unit, handed, points: one.grade ? `${one.grade.points} 分` : "", filter: filterOf(one) };
}

type Row = ReturnType<typeof asRow>;

Page({
  data: { ...LOADING, title: "", progress: "", first: "", filter: "waiting" as Filter, tabs: [] as { filter: Filter; words: string }[], rows: [] as Row[] },
  id: "",
  all: [] as Row[],
  chosen: false,
  onLoad(query: Record<string, string | undefined>) {
    this.id = query["task"] ?? "";
  },
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const { task, submitted, graded, items } = await get("/teaching/tasks/{task_id}/submissions", { task_id: this.id });
      this.all = items.map(asRow);
      const count = (filter: Filter) => this.all.filter((one: Row) => one.filter === filter).length;
      const filter = this.chosen ? this.data.filter : (TITLES.find(([one]) => count(one))?.[0] ?? "waiting");
      return {
        title: task.title, progress: `${items.length} 人中 ${submitted} 人已提交，${graded} 人已批阅`, first: this.all.find((one: Row) => one.filter === "waiting")?.id ?? "",
        filter, tabs: TITLES.map(([one, words]) => ({ filter: one, words: `${words} ${count(one)}` })), rows: this.all.filter((one: Row) => one.filter === filter),
      };
    });
  },
  choose(event: WechatMiniprogram.TouchEvent) {
    const filter = event.currentTarget.dataset["filter"] as Filter;
    this.chosen = true;
    this.setData({ filter, rows: this.all.filter((one: Row) => one.filter === filter) });
  },
  open(event: WechatMiniprogram.TouchEvent) {
    void wx.navigateTo({ url: `/pages/grading/grading?task=${this.id}&person=${event.currentTarget.dataset["id"]}` });
  },
});
