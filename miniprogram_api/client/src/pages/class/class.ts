// One class, as who attends it or as who teaches it: two calls, the class and its sessions.
import { get, type Schemas } from "../../api/api";
import { clock, dayOf, period } from "../../lib/moments";
import { LOADING, show } from "../../lib/show";

type Session = Schemas["SessionItem"] & { check_in?: { status: string } | null; checked_in?: number };

const STATUS: Record<string, [string, string]> = { present: ["已签到", ""], late: ["迟到", "mark-warn"], void: ["签到作废", "mark-danger"] };
const WINDOW: Record<string, [string, string]> = { upcoming: ["未开始", "mark-soft"], open: ["签到中", ""], closed: ["未签到", "mark-danger"] };

function asRow(one: Session, taught: boolean) {
  const [mark, tone] = (one.check_in && STATUS[one.check_in.status]) ?? (taught && one.window === "closed" ? ["已结束", "mark-soft"] : WINDOW[one.window])!;
  return {
    id: one.id, title: one.title, place: one.place, day: dayOf(one.starts_at), from: clock(one.starts_at), to: clock(one.ends_at), mark, tone,
    note: taught ? `${one.checked_in ?? 0} 人签到` : "", open: one.window === "open" && !one.check_in,
  };
}

Page({
  data: { ...LOADING, taught: false, name: "", facts: [] as { name: string; value: string }[], sessions: [] as ReturnType<typeof asRow>[] },
  id: "",
  onLoad(query: Record<string, string | undefined>) {
    this.id = query["id"] ?? "";
    this.setData({ taught: query["part"] === "teaching" });
  },
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const { taught } = this.data;
      const places = { class_id: this.id };
      const [one, sessions] = await Promise.all(taught
        ? [get("/teaching/classes/{class_id}", places), get("/teaching/classes/{class_id}/sessions", places, { limit: 100 })]
        : [get("/classes/{class_id}", places), get("/classes/{class_id}/sessions", places, { limit: 100 })]);
      return {
        name: one.name,
        facts: [
          { name: "培训机构", value: one.institution_name }, { name: "日期", value: period(one.starts_on, one.ends_on) }, { name: "地点", value: one.place },
          { name: "课时", value: `${one.class_hours} 课时` }, { name: "授课", value: one.teachers.join("、") }, { name: "状态", value: one.condition === "RUNNING" ? one.stage_title : one.condition_title },
        ],
        sessions: sessions.items.map((item) => asRow(item as Session, taught)),
      };
    });
  },
  openSession(event: WechatMiniprogram.TouchEvent) {
    const { id } = event.currentTarget.dataset as { id: string };
    if (this.data.taught) void wx.navigateTo({ url: `/pages/session-code/session-code?id=${id}` });
    else if (this.data.sessions.find((one) => one.id === id)?.open) void wx.navigateTo({ url: `/pages/check-in/check-in?session=${id}` });
  },
});
