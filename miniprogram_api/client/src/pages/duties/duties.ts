// My year as a backbone teacher (article 8.4): tasks done, planned and owed, and the ways to satisfaction, guidance and dynamic management.
import { get, type Schemas } from "../../api/api";
import { period } from "../../lib/moments";
import { LOADING, show } from "../../lib/show";

type Year = Schemas["DutyAnswer"];

const asRow = (one: Year["tasks"][number]) => ({ key: `${one.class_id} ${one.kind}`, id: one.class_id, name: one.class_name, when: `${one.kind_title} · ${period(one.starts_on, one.ends_on)}`, mark: one.progress_title, tone: one.done ? "" : "mark-soft" });

Page({
  data: { ...LOADING, year: 0, standing: "", facts: [] as { name: string; value: string }[], rows: [] as ReturnType<typeof asRow>[] },
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const one = await get("/teaching/duties", {}, { year: this.data.year || undefined });
      const { guidance, satisfaction } = one;
      return {
        year: one.year, standing: one.standing_title, rows: one.tasks.map(asRow),
        facts: [
          { name: "应授课", value: `${one.required} 次` }, { name: "已完成", value: `${one.teaching_done} 次` }, { name: "已接受", value: one.teaching_planned ? `${one.teaching_planned} 次，结束后计入` : "" }, { name: "还欠", value: one.missing ? `${one.missing} 次` : "" },
          { name: "考核", value: `完成 ${one.assessment_done} 次${one.assessment_planned ? `，已接受 ${one.assessment_planned} 次` : ""}` }, { name: "满意度", value: satisfaction ? `${satisfaction.mean.toFixed(2)} / 3` : "还没有可以公布的结果" },
          { name: "后续指导", value: `学员已确认 ${guidance.confirmed} 次，待确认 ${guidance.waiting} 次${guidance.disputed ? `，有异议 ${guidance.disputed} 次` : ""}` },
        ],
      };
    });
  },
  step(event: WechatMiniprogram.TouchEvent) {
    this.setData({ year: this.data.year + Number(event.currentTarget.dataset["by"]) });
    return this.load();
  },
  open(event: WechatMiniprogram.TouchEvent) {
    void wx.navigateTo({ url: event.currentTarget.dataset["url"] as string });
  },
});
