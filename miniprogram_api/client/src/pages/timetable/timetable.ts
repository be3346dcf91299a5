// A week of all my classes, in Beijing's days whatever the phone says.
import { get, type Schemas } from "../../api/api";
import { now } from "../../lib/clock";
import { clock, dayOf } from "../../lib/moments";
import { LOADING, show } from "../../lib/show";
import { open, pageOf } from "../../lib/targets";
import { dateIn, weekOf } from "../../lib/weeks";

type Session = Schemas["OneSession"];
const asRow = (one: Session) => ({ id: one.id, title: one.title, when: `${clock(one.starts_at)}–${clock(one.ends_at)}`, note: `${one.place} · ${one.class_name}`, mark: one.part === "teaching" ? "授课" : one.check_in ? "已签到" : "", url: pageOf({ kind: one.part === "teaching" ? "taught-class" : "class", id: one.class_id }) });
interface Day { day: string; sessions: ReturnType<typeof asRow>[] }

function byDay(items: Session[]): Day[] {
  const days: Day[] = [];
  for (const one of items) {
    const day = dayOf(one.starts_at);
    if (days.at(-1)?.day !== day) days.push({ day, sessions: [] });
    days.at(-1)!.sessions.push(asRow(one));
  }
  return days;
}

Page({
  data: { ...LOADING, week: "", days: [] as Day[] },
  offset: 0,
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const [from, to] = weekOf(now(), this.offset);
      const { items } = await get("/sessions", {}, { from, to });
      return { week: `${dateIn(from)} – ${dateIn(to)}`, days: byDay(items) };
    });
  },
  turn(event: WechatMiniprogram.TouchEvent) {
    this.offset += Number(event.currentTarget.dataset["by"]);
    return this.load();
  },
  open(event: WechatMiniprogram.TouchEvent) {
    open(event.currentTarget.dataset["url"] as string);
  },
});
