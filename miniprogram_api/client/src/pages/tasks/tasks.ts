// The tasks of one class, with what I have handed in and what came of it.
import { get, type Schemas } from "../../api/api";
import { standing } from "../../lib/answering";
import { now } from "../../lib/clock";
import { moment } from "../../lib/moments";
import { LOADING, show } from "../../lib/show";

type Task = Schemas["MyTaskAnswer"];

function asRow(one: Task) {
  const [mark, tone] = standing(one, now());
  return { id: one.id, title: one.title, kind: one.kind_title, due: `${moment(one.deadline)} 前`, mark, tone };
}

Page({
  data: { ...LOADING, items: [] as ReturnType<typeof asRow>[] },
  id: "",
  onLoad(query: Record<string, string | undefined>) {
    this.id = query["class"] ?? "";
  },
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const { items } = await get("/classes/{class_id}/tasks", { class_id: this.id }, { limit: 100 });
      return items.length ? { items: items.map(asRow) } : null;
    });
  },
  open(event: WechatMiniprogram.TouchEvent) {
    void wx.navigateTo({ url: `/pages/task/task?id=${event.currentTarget.dataset["id"]}` });
  },
});
