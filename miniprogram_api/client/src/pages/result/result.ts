// My result of one class, once it is released: how it came about, and why it is what it is.
import { Problem, get } from "../../api/api";
import { moment } from "../../lib/moments";
import { LOADING, show } from "../../lib/show";

Page({
  data: { ...LOADING, passed: false, verdict: "", reason: "", facts: [] as { name: string; value: string }[], marks: [] as { id: string; title: string; points: string }[], released: "" },
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
      const one = await get("/classes/{class_id}/result", { class_id: this.id }).catch((error: unknown) => {
        if (error instanceof Problem && error.type === "results-not-released") return null;
        throw error;
      });
      if (!one) return null;
      const { policy } = one;
      return {
        passed: one.passed, verdict: one.passed ? "合格" : "未合格", reason: one.reason, released: `${moment(one.released_at)} 公布。有疑问的，请联系培训机构。`,
        facts: [
          { name: "总成绩", value: `${one.total} 分（${policy.pass_mark} 分合格）` }, { name: "过程性考核", value: `${one.formative} 分，占 ${policy.formative_weight}%` }, { name: "终结性考核", value: `${one.summative} 分，占 ${100 - policy.formative_weight}%` },
          { name: "出勤", value: `${one.hours_attended} / ${one.hours_total} 课时，${one.attendance_ok ? "达到" : "没有达到"}要求的 ${policy.attendance_needed}%` },
        ],
        marks: one.marks.map((mark) => ({ id: mark.task_id, title: mark.title, points: mark.points === null ? "没有成绩" : `${mark.points} / ${mark.maximum} 分` })),
      };
    });
  },
  open(event: WechatMiniprogram.TouchEvent) {
    void wx.navigateTo({ url: `/pages/task/task?id=${event.currentTarget.dataset["id"]}` });
  },
});
