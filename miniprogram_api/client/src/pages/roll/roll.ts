// 点名册 of one session: who is in, 补签 of one or several, corrections with a reason, what a flag meant, and a longer time to check in.
import { get, post, put, type Schemas } from "../../api/api";
import { clock, moment, parse } from "../../lib/moments";
import { now } from "../../lib/clock";
import { FLAGS, STATUS, choicesFor, type Choice } from "../../lib/rolls";
import { LOADING, attempt, say, show } from "../../lib/show";
import { NOT_ASKING, asked, sendWords } from "../../lib/words";

type Entry = Schemas["AttendanceItem"];
const TEN_MINUTES_MS = 10 * 60 * 1000;
const REFUSED: Record<string, string> = { "code-expired": "签到码已过期", "code-invalid": "签到码不对", "not-enrolled": "不在本班名册", "session-not-open": "不在签到时间" };

function asRow(one: Entry) {
  const [mark, tone] = STATUS[one.status ?? "missing"];
  const changes = one.changes.map((change) => `${moment(change.at)} ${STATUS[change.before][0]}改为${STATUS[change.after][0]}：${change.reason}`);
  const verdicts = one.verdicts.map((verdict) => `${moment(verdict.at)} ${verdict.by}：${verdict.verdict === "fine" ? "没有问题" : "情况不实"}，${verdict.words}`);
  const notes = [...(one.reason ? [`补签理由：${one.reason}`] : []), ...changes, ...verdicts];
  return {
    id: one.person_id, name: one.name, number: one.id_number_masked, unit: one.work_unit, status: one.status, mark, tone, at: one.checked_in_at ? clock(one.checked_in_at) : "", missing: one.status === null,
    openFlags: one.open_flags, flagged: one.open_flags.map((flag) => FLAGS[flag] ?? flag).join("、"), notes,
  };
}

/** Who is missing first, then who is flagged: what a teacher opens the roll for. */
const byNeed = (one: Row, other: Row) => rank(one) - rank(other);
const rank = (one: Row) => (one.missing ? 0 : one.flagged ? 1 : 2);
type Row = ReturnType<typeof asRow>;

Page({
  data: { ...LOADING, ...NOT_ASKING, busy: "", title: "", when: "", window: "", closes: "", counts: "", missing: 0, choosing: false, chosen: [] as string[], rows: [] as ReturnType<typeof asRow>[], refused: [] as { key: string; words: string }[] },
  id: "",
  closesAt: 0,
  endsAt: 0,
  person: "",
  choice: null as Choice | null,
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
      const roll = await get("/teaching/sessions/{session_id}/attendance", { session_id: this.id });
      const { session } = roll;
      [this.closesAt, this.endsAt] = [parse(session.closes_at), parse(session.ends_at)];
      return {
        title: session.title, when: `${moment(session.starts_at)}–${clock(session.ends_at)} · ${session.place}`, window: session.window, closes: `签到到 ${clock(session.closes_at)} 为止`, counts: `出勤 ${roll.present} 人，迟到 ${roll.late} 人，未签到 ${roll.missing} 人`, missing: roll.missing, rows: roll.items.map(asRow).sort(byNeed),
        refused: roll.refused.map((one) => ({ key: `${one.person_id}${one.at}`, words: `${clock(one.at)} ${one.name}：${REFUSED[one.reason] ?? "没有签上"}` })),
      };
    });
  },
  async choose(event: WechatMiniprogram.TouchEvent) {
    const { id } = event.currentTarget.dataset as { id: string };
    const row = this.data.rows.find((one) => one.id === id);
    if (!row || this.data.choosing || this.data.window === "upcoming") return;
    const choices = choicesFor(row.status, row.openFlags);
    const picked = await wx.showActionSheet({ itemList: choices.map((one) => one.words) }).catch(() => null);
    const choice = picked && choices[picked.tapIndex];
    if (!choice) return;
    [this.person, this.choice] = [id, choice];
    this.setData(asked(`roll:${this.id}:${id}:${choice.words}`, `${row.name}：${choice.words}`, "请写明理由，学员、培训机构都能看到。"));
  },
  several() {
    this.setData({ choosing: !this.data.choosing, chosen: [] });
  },
  tick(event: WechatMiniprogram.CustomEvent<{ value: string[] }>) {
    this.setData({ chosen: event.detail.value });
  },
  askForSeveral() {
    if (!this.data.chosen.length) return say("请先勾选学员");
    this.choice = { words: "补签为出勤", kind: "register", status: "present" };
    this.person = "";
    this.setData(asked(`roll:${this.id}:several`, `为 ${this.data.chosen.length} 名学员补签为出勤`, "请写明他们没能扫码的原因。"));
  },
  cancel() {
    this.setData(NOT_ASKING);
  },
  async send(event: WechatMiniprogram.CustomEvent<{ text: string }>) {
    const done = await sendWords(this, () => this.act(event.detail.text));
    if (!done) return;
    say("已登记");
    this.setData({ choosing: false, chosen: [] });
    await this.load();
  },
  act(reason: string): Promise<unknown> {
    const [choice, session_id, person_id] = [this.choice!, this.id, this.person];
    if (choice.kind === "judge") return put("/teaching/sessions/{session_id}/check-ins/{person_id}/verdict", { verdict: choice.verdict!, words: reason }, { session_id, person_id });
    if (choice.kind === "change") return put("/teaching/sessions/{session_id}/check-ins/{person_id}", { status: choice.status!, reason }, { session_id, person_id });
    if (person_id) return post("/teaching/sessions/{session_id}/late-registrations", { person_id, status: choice.status!, reason }, { session_id });
    return post("/teaching/sessions/{session_id}/late-registrations/all", { person_ids: this.data.chosen, status: choice.status!, reason }, { session_id });
  },
  /** Ten minutes from the present end, or from now where that is over; never beyond the session. */
  longer() {
    const until = Math.min(Math.max(this.closesAt, now()) + TEN_MINUTES_MS, this.endsAt);
    if (until <= this.closesAt) return say("已经延长到课次结束");
    return attempt(this, "longer", async () => {
      await put("/teaching/sessions/{session_id}/window", { closes_at: new Date(until).toISOString() }, { session_id: this.id });
      await this.load();
    });
  },
});
