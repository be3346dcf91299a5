// One class that I attend: what I have done in it and have left, and its sessions. Two calls.
import { get, type Schemas } from "../../api/api";
import { noticeStanding } from "../../lib/answering";
import { clock, dayOf, period } from "../../lib/moments";
import { LOADING, show } from "../../lib/show";

type Session = Schemas["MySessionItem"];
type Class = Schemas["MyClassAnswer"];

const STATUS: Record<string, [string, string]> = { present: ["已签到", ""], late: ["迟到", "mark-warn"], void: ["签到作废", "mark-danger"] };
const WINDOW: Record<string, [string, string]> = { upcoming: ["未开始", "mark-soft"], open: ["签到中", ""], closed: ["未签到", "mark-danger"] };

function asRow(one: Session) {
  const [mark, tone] = (one.check_in && STATUS[one.check_in.status]) ?? WINDOW[one.window]!;
  return { id: one.id, title: one.title, place: one.place, when: `${dayOf(one.starts_at)} ${clock(one.starts_at)}–${clock(one.ends_at)}`, mark, tone, located: one.geofenced, open: one.window === "open" && !one.check_in };
}

function steps({ id, mine }: Class) {
  const [notice, noticeTone] = noticeStanding(mine);
  return [
    { icon: "mail", title: "入学通知与承诺书", mark: notice, tone: noticeTone, url: `/pages/notice/notice?class=${id}` },
    { icon: "task", title: "学习任务", mark: mine.tasks ? `已交 ${mine.handed_in} / ${mine.tasks}` : "还没有任务", tone: mine.handed_in < mine.tasks ? "mark-warn" : "mark-soft", url: `/pages/tasks/tasks?class=${id}` },
    { icon: "chart-bar", title: "成绩", mark: mine.results_released ? (mine.passed ? "合格" : "未合格") : "未公布", tone: mine.results_released ? (mine.passed ? "" : "mark-danger") : "mark-soft", url: `/pages/result/result?class=${id}` },
    { icon: "star", title: "满意度评价", mark: "", tone: "", url: "/pages/surveys/surveys" },
  ];
}

Page({
  data: { ...LOADING, name: "", facts: [] as { name: string; value: string }[], steps: [] as ReturnType<typeof steps>, missing: [] as string[], sessions: [] as ReturnType<typeof asRow>[] },
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
      const [one, sessions] = await Promise.all([get("/classes/{class_id}", places), get("/classes/{class_id}/sessions", places, { limit: 100 })]);
      return {
        name: one.name,
        facts: [
          { name: "培训机构", value: one.institution_name }, { name: "日期", value: period(one.starts_on, one.ends_on) }, { name: "地点", value: one.place }, { name: "授课", value: one.teachers.join("、") },
          { name: "课时", value: `共 ${one.class_hours} 课时，已参加 ${one.mine.hours_attended}，考核需要 ${one.mine.hours_needed}` },
          { name: "状态", value: one.condition === "RUNNING" ? one.stage_title : `${one.condition_title}：${one.condition_reason}` },
        ],
        steps: steps(one), missing: one.mine.missing, sessions: sessions.items.map(asRow),
      };
    });
  },
  open(event: WechatMiniprogram.TouchEvent) {
    void wx.navigateTo({ url: event.currentTarget.dataset["url"] as string });
  },
  openSession(event: WechatMiniprogram.TouchEvent) {
    const one = this.data.sessions.find((row) => row.id === event.currentTarget.dataset["id"]);
    if (one?.open) void wx.navigateTo({ url: `/pages/check-in/check-in?session=${one.id}${one.located ? "&located=1" : ""}` });
  },
});
