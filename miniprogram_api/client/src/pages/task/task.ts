// One task: what is asked, what I handed in with its remarks, and handing in. Text and files are a draft of the phone until the platform has
// them. The nonce belongs to what is written: sent again after a cut line it makes no second version, changed it is a new one.
import { get, post, type Schemas } from "../../api/api";
import type { Picked } from "../../api/upload";
import { restored, standing, workLacks } from "../../lib/answering";
import { now } from "../../lib/clock";
import { draftOf, dropDraft, keepDraft } from "../../lib/drafts";
import { moment, parse } from "../../lib/moments";
import { nonce } from "../../lib/nonce";
import { openFile, pictureOf, sizeOf } from "../../lib/opening";
import { LOADING, asProblem, attempt, say, show } from "../../lib/show";

type Version = Schemas["SubmissionAnswer"];
interface Draft {
  text: string;
  files: Picked[];
  nonce: string;
}

const asVersion = (one: Version) => ({
  id: one.id, title: `第 ${one.version} 版`, when: `${moment(one.submitted_at)}${one.late ? " · 迟交" : ""}`, text: one.text, check: one.content_check ?? "",
  files: one.files.map((file) => ({ id: file.id, name: file.name, type: file.media_type, picture: pictureOf(file), note: [sizeOf(file.size), file.content_check].filter(Boolean).join(" · ") })),
  remarks: (one.remarks ?? []).map((remark) => ({ id: remark.id, words: `${moment(remark.said_at)} ${remark.author_name}：${remark.text}` })),
});

Page({
  data: {
    ...LOADING, busy: "", title: "", instructions: "", facts: [] as { name: string; value: string }[], criteria: [] as { key: string; title: string; points: string }[], mark: "", tone: "", comment: "", late: false,
    limits: { files: 9, largest: 0, types: [] as string[], words: "" }, versions: [] as ReturnType<typeof asVersion>[], opened: { id: "", words: "" }, writing: false, text: "", files: [] as Picked[], own: false, refusal: "", full: "",
  },
  id: "",
  nonce: "",
  onLoad(query: Record<string, string | undefined>) {
    this.id = query["id"] ?? "";
    const draft = draftOf<Draft>(this.draftKey());
    if (draft) this.setData({ writing: true, text: draft.text, files: restored(draft.files) });
    this.nonce = draft?.nonce ?? nonce();
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  draftKey() {
    return `work:${this.id}`;
  },
  load() {
    return show(this, async () => {
      const places = { task_id: this.id };
      const [one, handed] = await Promise.all([get("/tasks/{task_id}", places), get("/tasks/{task_id}/submissions", places, { limit: 50 })]);
      const [mark, tone] = standing(one, now());
      const { limits, grade } = one;
      return {
        title: one.title, instructions: one.instructions, mark, tone, comment: grade?.comment ?? "", late: parse(one.deadline) < now(),
        facts: [{ name: "类型", value: one.kind_title }, { name: "截止", value: moment(one.deadline) }, { name: "满分", value: `${one.maximum} 分` }],
        criteria: one.criteria.map((criterion) => ({ key: criterion.key, title: criterion.title, points: grade?.scores[criterion.key] === undefined ? `${criterion.points} 分` : `${grade.scores[criterion.key]} / ${criterion.points} 分` })),
        limits: { files: limits.files, largest: limits.file_bytes, types: limits.types.map((type) => type.replace(/^\./, "")), words: `最多 ${limits.files} 个文件，每个不超过 ${sizeOf(limits.file_bytes)}：${limits.types.map((type) => type.replace(/^\./, "")).join("、")}。` },
        versions: handed.items.map(asVersion), writing: this.data.writing || handed.items.length === 0,
      };
    });
  },
  write() {
    this.setData({ writing: true });
  },
  keep(changed: Partial<Draft>) {
    this.nonce = nonce();
    const kept = keepDraft<Draft>(this.draftKey(), { text: this.data.text, files: this.data.files, ...changed, nonce: this.nonce });
    this.setData({ ...changed, refusal: "", full: kept ? "" : "手机存储空间不足，写的内容没有保存在手机上，请尽快提交。" });
  },
  type(event: WechatMiniprogram.Input) {
    this.keep({ text: event.detail.value });
  },
  pick(event: WechatMiniprogram.CustomEvent<{ files: Picked[] }>) {
    this.keep({ files: event.detail.files });
  },
  declare(event: WechatMiniprogram.CustomEvent<{ value: string[] }>) {
    this.setData({ own: event.detail.value.length > 0, refusal: "" });
  },
  async submit() {
    if (this.data.busy) return;
    const { text, files, own } = this.data;
    const lacks = workLacks(text, files, own);
    this.setData({ refusal: lacks });
    if (lacks) return;
    this.setData({ busy: "submit" });
    try {
      const made = await post("/tasks/{task_id}/submissions", { text: text.trim(), own_work: true, nonce: this.nonce, uploads: files.map((one) => one.uploadId) }, { task_id: this.id });
      dropDraft(this.draftKey());
      this.nonce = nonce();
      this.setData({ writing: false, text: "", files: [], own: false });
      say(`已提交第 ${made.version} 版${made.late ? "，记为迟交" : ""}`);
      await this.load();
    } catch (error) {
      const problem = asProblem(error);
      this.setData({ refusal: `${problem.title}：${problem.words}` });
    } finally {
      this.setData({ busy: "" });
    }
  },
  openFile(event: WechatMiniprogram.TouchEvent) {
    const { submission, id, name, type } = event.currentTarget.dataset as { submission: string; id: string; name: string; type: string };
    return attempt(this, `file ${id}`, async () => {
      const words = await openFile("/submissions/{submission_id}/files/{file_id}", { submission_id: submission, file_id: id }, name, type);
      if (words !== undefined) this.setData({ opened: { id, words } });
    });
  },
});
