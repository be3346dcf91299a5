// One class that I teach: what there is to do in it, and its sessions. Two calls.
import { get, type Schemas } from "../../api/api";
import { now } from "../../lib/clock";
import { clock, dayOf, period } from "../../lib/moments";
import { LOADING, show } from "../../lib/show";

type Session = Schemas["TaughtSessionItem"];

const WINDOW: Record<string, [string, string]> = { upcoming: ["未开始", "mark-soft"], open: ["签到中", ""], closed: ["已结束", "mark-soft"] };

function asRow(one: Session) {
  const [mark, tone] = WINDOW[one.window]!;
  return { id: one.id, day: dayOf(one.starts_at), title: one.title, when: `${dayOf(one.starts_at)} ${clock(one.starts_at)}–${clock(one.ends_at)}`, place: one.place, mark, tone, count: `${one.checked_in} 人签到`, closed: one.window === "closed" };
}

type Row = ReturnType<typeof asRow>;

Page({
  data: { ...LOADING, name: "", facts: [] as { name: string; value: string }[], today: [] as Row[], sessions: [] as Row[] },
  id: "",
  onLoad(query: Record<string, string | undefined>) {
    this.id = query["id"] ?? "";
  },
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const places = { class_id: this.id };
      const [one, sessions] = await Promise.all([get("/teaching/classes/{class_id}", places), get("/teaching/classes/{class_id}/sessions", places, { limit: 100 })]);
      const rows = sessions.items.map(asRow);
      const today = dayOf(new Date(now()).toISOString());
      const parts = one.my_part.map((part) => (part === "TEACHING" ? "授课" : "考核")).join("、");
      return {
        name: one.name,
        facts: [
          { name: "我的任务", value: parts }, { name: "培训机构", value: one.institution_name }, { name: "日期", value: period(one.starts_on, one.ends_on) }, { name: "地点", value: one.place },
          { name: "课时", value: `${one.class_hours} 课时` }, { name: "学员", value: `${one.trainees.length} 人` }, { name: "状态", value: one.condition === "RUNNING" ? one.stage_title : `${one.condition_title}：${one.condition_reason}` },
        ],
        today: rows.filter((row) => row.day === today), sessions: rows,
      };
    });
  },
  open(event: WechatMiniprogram.TouchEvent) {
    const page = event.currentTarget.dataset["page"] as string;
    void wx.navigateTo({ url: `/pages/${page}/${page}?class=${this.id}` });
  },
  openSession(event: WechatMiniprogram.TouchEvent) {
    const { id } = event.currentTarget.dataset as { id: string };
    const page = this.data.sessions.find((one) => one.id === id)?.closed ? "roll" : "session-code";
    void wx.navigateTo({ url: `/pages/${page}/${page}?id=${id}` });
  },
});
