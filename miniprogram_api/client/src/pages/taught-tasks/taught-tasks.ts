// The tasks of a class that I teach.
import { get, type Schemas } from "../../api/api";
import { moment } from "../../lib/moments";
import { LOADING, show } from "../../lib/show";

const asRow = (one: Schemas["TaskAnswer"]) => ({ id: one.id, title: one.title, kind: one.kind_title, due: `${moment(one.deadline)} 截止 · 满分 ${one.maximum} 分` });

Page({
  data: { ...LOADING, rows: [] as ReturnType<typeof asRow>[] },
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
      const { items } = await get("/teaching/classes/{class_id}/tasks", { class_id: this.id }, { limit: 100 });
      return items.length ? { rows: items.map(asRow) } : null;
    });
  },
  open(event: WechatMiniprogram.TouchEvent) {
    void wx.navigateTo({ url: `/pages/works/works?task=${event.currentTarget.dataset["id"]}` });
  },
});
