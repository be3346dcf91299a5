// Logging guidance given to a former trainee: kept on the phone until it is sent, sent twice it is logged once.
import { get, post } from "../../api/api";
import { now } from "../../lib/clock";
import { draftOf, dropDraft, keepDraft } from "../../lib/drafts";
import { nonce } from "../../lib/nonce";
import { leave } from "../../lib/leaving";
import { LOADING, asProblem, say, show } from "../../lib/show";

const WAYS = [{ words: "电话", value: "TELEPHONE" }, { words: "线上", value: "ONLINE" }, { words: "到校", value: "VISIT" }, { words: "书面", value: "WRITTEN" }] as const;
const DRAFT = "guidance";
const BEIJING_MS = 8 * 3600 * 1000;
const NONE = -1;

interface Draft {
  class_id: string;
  trainee_id: string;
  given_on: string;
  way: number;
  about: string;
  minutes: string;
  nonce: string;
}
const today = () => new Date(now() + BEIJING_MS).toISOString().slice(0, 10);
const empty = (): Draft => ({ class_id: "", trainee_id: "", given_on: today(), way: 0, about: "", minutes: "", nonce: nonce() });

Page({
  data: { ...LOADING, busy: "", ways: WAYS, latest: today(), draft: empty(), classes: [] as { id: string; name: string }[], chosenClass: NONE, trainees: [] as { id: string; name: string }[], chosenTrainee: NONE, errors: {} as Record<string, string>, problem: "" },
  onLoad() {
    this.setData({ draft: draftOf<Draft>(DRAFT) ?? empty() });
    return this.load();
  },
  load() {
    return show(this, async () => {
      const { items } = await get("/teaching/classes", {}, { limit: 100 });
      const classes = items.filter((one) => one.my_part.includes("TEACHING")).map((one) => ({ id: one.id, name: one.name }));
      return { classes, ...(await this.peopleOf(this.data.draft.class_id, classes)) };
    });
  },
  async peopleOf(class_id: string, classes: { id: string; name: string }[]) {
    const chosenClass = classes.findIndex((one) => one.id === class_id);
    if (chosenClass === NONE) return { chosenClass, trainees: [], chosenTrainee: NONE };
    const { trainees } = await get("/teaching/classes/{class_id}", { class_id });
    return { chosenClass, trainees: trainees.map((one) => ({ id: one.person_id, name: `${one.name}（${one.id_number_masked.slice(-4)}）` })), chosenTrainee: trainees.findIndex((one) => one.person_id === this.data.draft.trainee_id) };
  },
  /** Other content is another entry. */
  set(changed: Partial<Draft>) {
    const draft = { ...this.data.draft, ...changed, nonce: nonce() };
    const kept = keepDraft(DRAFT, draft);
    this.setData({ draft, errors: {}, problem: kept ? "" : "手机存储空间不足，写的内容没有保存在手机上，请尽快提交。" });
  },
  async pickClass(event: WechatMiniprogram.CustomEvent<{ value: number }>) {
    this.set({ class_id: this.data.classes[Number(event.detail.value)]!.id, trainee_id: "" });
    await show(this, () => this.peopleOf(this.data.draft.class_id, this.data.classes));
  },
  pickTrainee(event: WechatMiniprogram.CustomEvent<{ value: number }>) {
    const chosenTrainee = Number(event.detail.value);
    this.setData({ chosenTrainee });
    this.set({ trainee_id: this.data.trainees[chosenTrainee]!.id });
  },
  pickWay(event: WechatMiniprogram.CustomEvent<{ value: number }>) {
    this.set({ way: Number(event.detail.value) });
  },
  type(event: WechatMiniprogram.Input) {
    this.set({ [event.currentTarget.dataset["field"] as string]: event.detail.value });
  },
  async send() {
    if (this.data.busy) return;
    const { draft } = this.data;
    const errors: Record<string, string> = {};
    if (!draft.class_id) errors["class_id"] = "请选择培训班。";
    if (!draft.trainee_id) errors["trainee_id"] = "请选择学员。";
    if (draft.about.trim().length < 4) errors["about"] = "请写明指导内容，至少 4 个字。";
    if (!/^\d+$/.test(draft.minutes) || Number(draft.minutes) < 5 || Number(draft.minutes) > 480) errors["minutes"] = "请填写 5 至 480 分钟。";
    this.setData({ errors, problem: "" });
    if (Object.keys(errors).length) return;
    this.setData({ busy: "send" });
    try {
      await post("/teaching/guidance", { class_id: draft.class_id, trainee_id: draft.trainee_id, given_on: draft.given_on, way: WAYS[draft.way]!.value, about: draft.about.trim(), minutes: Number(draft.minutes), nonce: draft.nonce });
      dropDraft(DRAFT);
      say("已登记，等学员确认");
      leave("/pages/guidance-given/guidance-given");
    } catch (error) {
      this.setData({ problem: asProblem(error).words });
    } finally {
      this.setData({ busy: "" });
    }
  },
});
