// Who applied for a class that I teach (article 4.4): those who wait for my word first. Refusing says why; sent twice, it answers the same.
import { get, post, type Schemas } from "../../api/api";
import { moment } from "../../lib/moments";
import { LOADING, attempt, say, show } from "../../lib/show";
import { NOT_ASKING, asked, sendWords } from "../../lib/words";

type Applicant = Schemas["ApplicantItem"];
const WAITS = ["APPLIED", "INSTITUTION_AGREED"];

const asRow = (one: Applicant) => ({
  id: one.id, name: one.name, number: one.id_number_masked, mark: one.state_title, waits: WAITS.includes(one.state), warnings: one.warnings,
  facts: [{ name: "院校", value: one.work_unit }, { name: "职务", value: one.post }, { name: "教龄", value: `${one.years_of_teaching} 年` }, { name: "任教专业", value: one.major_taught }, { name: "报名", value: moment(one.applied_at) }],
  answers: Object.entries(one.answers).map(([key, value]) => ({ key, value })), history: one.history.map((step) => `${moment(step.at)} ${step.who} ${step.title}${step.reason ? `：${step.reason}` : ""}`),
});
type Row = ReturnType<typeof asRow>;

Page({
  data: { ...LOADING, ...NOT_ASKING, busy: "", rows: [] as Row[], next: null as string | null, open: "" },
  id: "",
  applicant: "",
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
      const found = await get("/teaching/classes/{class_id}/applications", { class_id: this.id }, { limit: 50 });
      const rows = found.items.map(asRow);
      return rows.length ? { rows: [...rows.filter((one) => one.waits), ...rows.filter((one) => !one.waits)], next: found.next } : null;
    });
  },
  async onReachBottom() {
    const { next } = this.data;
    if (!next) return;
    this.setData({ next: null });
    await show(this, async () => {
      const found = await get("/teaching/classes/{class_id}/applications", { class_id: this.id }, { cursor: next, limit: 50 });
      return { rows: [...this.data.rows, ...found.items.map(asRow)], next: found.next };
    });
  },
  toggle(event: WechatMiniprogram.TouchEvent) {
    const { id } = event.currentTarget.dataset as { id: string };
    this.setData({ open: this.data.open === id ? "" : id });
  },
  agree(event: WechatMiniprogram.TouchEvent) {
    const { id } = event.currentTarget.dataset as { id: string };
    return attempt(this, `agree ${id}`, async () => {
      this.replace(await post("/teaching/classes/{class_id}/applications/{applicant_id}/review", { agree: true, reason: "" }, { class_id: this.id, applicant_id: id }));
      say("已同意");
    });
  },
  refuse(event: WechatMiniprogram.TouchEvent) {
    const { id, name } = event.currentTarget.dataset as { id: string; name: string };
    this.applicant = id;
    this.setData(asked(`refuse:${id}`, `不同意${name}参加`, "报名者会看到理由。", "不同意"));
  },
  cancel() {
    this.setData(NOT_ASKING);
  },
  async sendRefusal(event: WechatMiniprogram.CustomEvent<{ text: string }>) {
    const done = await sendWords(this, async () => this.replace(await post("/teaching/classes/{class_id}/applications/{applicant_id}/review", { agree: false, reason: event.detail.text }, { class_id: this.id, applicant_id: this.applicant })));
    if (done) say("已登记");
  },
  replace(changed: Applicant) {
    this.setData({ rows: this.data.rows.map((one: Row) => (one.id === changed.id ? asRow(changed) : one)), open: "" });
  },
});
