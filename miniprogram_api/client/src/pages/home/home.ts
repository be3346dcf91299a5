// 首页, of one call: who I am, today's sessions of all my classes, and what is due, each with the way to where it is done.
import { get, type Schemas } from "../../api/api";
import { clock, dayOf, moment } from "../../lib/moments";
import { LOADING, show } from "../../lib/show";
import { open, pageOf } from "../../lib/targets";

type Home = Schemas["HomeAnswer"];
type Session = Home["sessions"][number];

const STATUS: Record<string, [string, string]> = { present: ["已签到", ""], late: ["迟到", "mark-warn"], void: ["签到作废", "mark-danger"] };
const WINDOW: Record<string, [string, string]> = { upcoming: ["未开始", "mark-soft"], open: ["签到中", ""], closed: ["未签到", "mark-danger"] };

function asSession(one: Session) {
  const teaching = one.part === "teaching";
  const [mark, tone] = (one.check_in && STATUS[one.check_in.status]) ?? (teaching && one.window === "closed" ? ["已结束", "mark-soft"] : WINDOW[one.window])!;
  const url = teaching ? `/pages/session-code/session-code?id=${one.id}` : `/pages/check-in/check-in?session=${one.id}${one.geofenced ? "&located=1" : ""}`;
  const acts = teaching ? one.window !== "closed" : one.window === "open" && !one.check_in;
  return { id: one.id, title: one.title, note: one.class_name, when: `${clock(one.starts_at)}–${clock(one.ends_at)}`, place: one.place, mark, tone, url: acts ? url : pageOf({ kind: teaching ? "taught-class" : "class", id: one.class_id }), act: acts ? (teaching ? "出示签到码" : "去签到") : "" };
}

const asTodo = (one: Home["todo"][number]) => ({ key: `${one.kind}-${one.target.id}`, title: one.title, about: one.about, due: one.due_at ? `${moment(one.due_at)} 前` : "", url: pageOf(one.target) });

Page({
  data: { ...LOADING, bound: false, name: "", today: "", trainee: false, sessions: [] as ReturnType<typeof asSession>[], todo: [] as ReturnType<typeof asTodo>[] },
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const home = await get("/home");
      badge(home.unread);
      return { bound: home.person !== null, name: home.person?.name ?? "", today: dayOf(home.server_time), trainee: home.roles.includes("TRAINEE"), sessions: home.sessions.map(asSession), todo: home.todo.map(asTodo) };
    });
  },
  open(event: WechatMiniprogram.TouchEvent) {
    open(event.currentTarget.dataset["url"] as string);
  },
});

const INBOX_TAB = 2;

function badge(unread: number): void {
  if (unread) void wx.setTabBarBadge({ index: INBOX_TAB, text: unread > 99 ? "99+" : String(unread) }).catch(() => undefined);
  else void wx.removeTabBarBadge({ index: INBOX_TAB }).catch(() => undefined);
}
