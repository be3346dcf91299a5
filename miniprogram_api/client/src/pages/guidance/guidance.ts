// The guidance that a teacher logged after the class: I confirm that it was given, or say what is not right.
import { get, post, type Schemas } from "../../api/api";
import { day } from "../../lib/moments";
import { LOADING, attempt, say, show } from "../../lib/show";
import { NOT_ASKING, asked, sendWords } from "../../lib/words";

type Item = Schemas["GuidanceAnswer"];
const TONES: Record<string, string> = { WAITING: "mark-warn", CONFIRMED: "", DISPUTED: "mark-danger" };
const asRow = (one: Item) => ({ id: one.id, title: `${one.teacher_name} · ${one.way_title}`, when: `${day(one.given_on)}，${one.minutes} 分钟 · ${one.class_name}`, about: one.about, objection: one.objection, mark: one.state_title, tone: TONES[one.state]!, waits: one.state === "WAITING" });

Page({
  data: { ...LOADING, ...NOT_ASKING, busy: "", items: [] as ReturnType<typeof asRow>[] },
  one: "",
  disputed: "",
  onLoad(query: Record<string, string | undefined>) {
    this.one = query["id"] ?? "";
  },
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  /** The one that a message leads to, else all. */
  load() {
    return show(this, async () => {
      const items = this.one ? [await get("/guidance/{guidance_id}", { guidance_id: this.one })] : (await get("/guidance", {}, { limit: 50 })).items;
      return items.length ? { items: items.map(asRow) } : null;
    });
  },
  async confirm(event: WechatMiniprogram.TouchEvent) {
    const { id } = event.currentTarget.dataset as { id: string };
    const done = await attempt(this, id, async () => {
      await post("/guidance/{guidance_id}/confirm", undefined, { guidance_id: id });
    });
    if (done) say("已确认");
    await this.load();
  },
  dispute(event: WechatMiniprogram.TouchEvent) {
    this.disputed = event.currentTarget.dataset["id"] as string;
    this.setData(asked(`dispute:${this.disputed}`, "这次指导与实际不符", "请写明哪里不符。教师会看到。"));
  },
  cancel() {
    this.setData(NOT_ASKING);
  },
  async sendDispute(event: WechatMiniprogram.CustomEvent<{ text: string }>) {
    const done = await sendWords(this, () => post("/guidance/{guidance_id}/dispute", { reason: event.detail.text }, { guidance_id: this.disputed }));
    if (!done) return;
    say("已提出");
    await this.load();
  },
});
