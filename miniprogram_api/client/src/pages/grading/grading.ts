// Grading one trainee's work and going on to the next: points by taps, the comment kept on the phone until it is sent. A grade that was
// given is changed with a reason; work that was handed in anew meanwhile is shown before it is graded.
import { Problem, get, put, post, type Schemas } from "../../api/api";
import { draftOf, dropDraft, keepDraft } from "../../lib/drafts";
import { clamp, nextUngraded, open, sum, taps } from "../../lib/marking";
import { moment } from "../../lib/moments";
import { openFile, pictureOf, sizeOf } from "../../lib/opening";
import { meKnown } from "../../lib/people";
import { leave } from "../../lib/leaving";
import { LOADING, asProblem, attempt, say, show } from "../../lib/show";
import { NOT_ASKING, asked, sendWords } from "../../lib/words";

type Work = Schemas["TraineeWorkAnswer"];
type File = Schemas["FileAnswer"];
interface Draft {
  scores: Record<string, number>;
  comment: string;
  reason: string;
  /** Of what was on the screen: of an older version the page says so. */
  version: number | null;
}

const asFile = (one: File) => ({ id: one.id, name: one.name, type: one.media_type, picture: pictureOf(one), note: [sizeOf(one.size), one.content_check].filter(Boolean).join(" · ") });
const asMark = (one: Work["history"][number], index: number) => ({ key: index, words: `${moment(one.graded_at)} ${one.grader_name} ${one.points} 分（${one.version ? `第 ${one.version} 版` : "现场"}）${one.reason ? `：${one.reason}` : ""}`, comment: one.comment });

Page({
  data: {
    ...LOADING, ...NOT_ASKING, busy: "", task: "", instructions: "", maximum: 0, name: "", about: "", handed: "", text: "", check: "", files: [] as ReturnType<typeof asFile>[],
    criteria: [] as { key: string; title: string; maximum: number; taps: number[] }[], scores: {} as Record<string, number>, total: 0, comment: "", reason: "", changes: false, onSite: false, nothing: false, newer: "", opened: { id: "", words: "" }, errors: {} as Record<string, string>, failure2: "",
    hasOlder: false, older: [] as { id: string; handed: string; text: string; files: ReturnType<typeof asFile>[] }[], remarks: [] as { id: string; words: string; mine: boolean }[], marks: [] as ReturnType<typeof asMark>[], more: false,
  },
  taskId: "",
  person: "",
  submission: "",
  version: null as number | null,
  following: null as string | null,
  remark: "",
  onLoad(query: Record<string, string | undefined>) {
    this.taskId = query["task"] ?? "";
    this.person = query["person"] ?? "";
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  draftKey() {
    return `grade:${this.taskId}:${this.person}`;
  },
  load() {
    return show(this, async () => {
      const [{ task, items }, me] = await Promise.all([get("/teaching/tasks/{task_id}/submissions", { task_id: this.taskId }), meKnown()]);
      const work = items.find((one) => one.person_id === this.person);
      if (!work) throw new Problem("gone", "名单里没有这位学员", "可能已退出本班，请返回名单重新选择。");
      const { submission, grade } = work;
      this.submission = submission?.id ?? "";
      this.version = submission?.version ?? null;
      this.following = nextUngraded(items, this.person);
      const draft = draftOf<Draft>(this.draftKey());
      const scores = draft?.scores ?? (work.graded && grade ? grade.scores : {});
      return {
        task: task.title, instructions: task.instructions, maximum: task.maximum, name: work.name, about: `${work.work_unit} ${work.id_number_masked}`,
        handed: submission ? `第 ${submission.version} 版 · ${moment(submission.submitted_at)}${submission.late ? " · 迟交" : ""}` : "没有提交",
        text: submission?.text ?? "", check: submission?.content_check ?? "", files: submission?.files.map(asFile) ?? [],
        criteria: task.criteria.map((one) => ({ key: one.key, title: one.title, maximum: one.points, taps: taps(one.points) })), scores, total: sum(scores),
        comment: draft?.comment ?? (work.graded && grade ? grade.comment : ""), reason: draft?.reason ?? "", changes: work.graded, onSite: !submission, nothing: !submission && task.kind !== "SUMMATIVE",
        newer: draft && draft.version !== this.version ? "学员提交了新的版本。您打的分和评语还在，请对照新版核对后再提交。" : "", errors: {}, failure2: "",
        hasOlder: (submission?.version ?? 1) > 1, older: [],
        remarks: (submission?.remarks ?? []).map((one) => ({ id: one.id, words: `${moment(one.said_at)} ${one.author_name}：${one.text}`, mine: one.author_id === me.person?.person_id })),
        marks: work.history.map(asMark), more: this.following !== null,
      };
    });
  },
  keep() {
    const { scores, comment, reason } = this.data;
    const kept = keepDraft<Draft>(this.draftKey(), { scores, comment, reason, version: this.version });
    if (!kept) this.setData({ failure2: "手机存储空间不足，写的内容没有保存在手机上，请尽快提交。" });
  },
  score(event: WechatMiniprogram.TouchEvent) {
    const { key, points, step } = event.currentTarget.dataset as { key: string; points?: number; step?: number };
    const criterion = this.data.criteria.find((one) => one.key === key)!;
    const now = this.data.scores[key] ?? (step && step < 0 ? criterion.maximum : 0);
    const scores = { ...this.data.scores, [key]: clamp(step ? now + Number(step) : Number(points), criterion.maximum) };
    this.setData({ scores, total: sum(scores), [`errors.${key}`]: "" });
    this.keep();
  },
  type(event: WechatMiniprogram.Input) {
    this.setData({ [event.currentTarget.dataset["field"] as string]: event.detail.value, "errors.reason": "" });
    this.keep();
  },
  async save() {
    if (this.data.busy) return;
    const { scores, comment, changes } = this.data;
    const reason = this.data.reason.trim();
    const errors: Record<string, string> = {};
    for (const key of open(this.data.criteria.map((one) => one.key), scores)) errors[key] = "请打分。";
    if (changes && reason.length < 4) errors["reason"] = "更改已给的成绩，请写明理由，至少 4 个字。";
    this.setData({ errors, failure2: Object.keys(errors).length ? "还有没填的，见上面红字。" : "" });
    if (Object.keys(errors).length) return;
    this.setData({ busy: "save" });
    try {
      const body = { scores, comment: comment.trim(), reason };
      if (this.submission) await put("/teaching/submissions/{submission_id}/grade", body, { submission_id: this.submission });
      else await put("/teaching/tasks/{task_id}/trainees/{person_id}/grade", body, { task_id: this.taskId, person_id: this.person });
      dropDraft(this.draftKey());
      this.setData({ busy: "" });
      await this.goOn();
    } catch (error) {
      const problem = asProblem(error);
      if (problem.type === "newer-version") await this.load();
      this.setData({ failure2: problem.words, "errors.reason": problem.field("reason") });
    } finally {
      this.setData({ busy: "" });
    }
  },
  async goOn() {
    if (!this.following) {
      say("已提交，这项任务没有待批阅的了");
      leave(`/pages/works/works?task=${this.taskId}`);
      return;
    }
    say("已提交，下一份");
    await this.skip();
  },
  /** The next one that waits; what was tapped and typed here stays as a draft. */
  async skip() {
    if (!this.following) return;
    this.person = this.following;
    this.setData({ ...LOADING });
    await this.load();
    void wx.pageScrollTo({ scrollTop: 0, duration: 0 });
  },
  openFile(event: WechatMiniprogram.TouchEvent) {
    const { id, name, type, submission } = event.currentTarget.dataset as { id: string; name: string; type: string; submission?: string };
    return attempt(this, `file ${id}`, async () => {
      const words = await openFile("/teaching/submissions/{submission_id}/files/{file_id}", { submission_id: submission || this.submission, file_id: id }, name, type);
      if (words !== undefined) this.setData({ opened: { id, words } });
    });
  },
  /** Fetched only by whoever wants to see them. */
  showOlder() {
    return attempt(this, "older", async () => {
      const { versions } = await get("/teaching/submissions/{submission_id}", { submission_id: this.submission });
      const older = versions.filter((one) => one.id !== this.submission);
      this.setData({ hasOlder: false, older: older.map((one) => ({ id: one.id, handed: `第 ${one.version} 版 · ${moment(one.submitted_at)}${one.late ? " · 迟交" : ""}`, text: one.text, files: one.files.map(asFile) })) });
    });
  },
  askRemark() {
    this.remark = "";
    this.setData(asked(`remark:${this.submission}`, `给${this.data.name}的意见`, "不打分，学员和本班教师都能看到。", "发出意见", 2));
  },
  askTakeBack(event: WechatMiniprogram.TouchEvent) {
    this.remark = event.currentTarget.dataset["id"] as string;
    this.setData(asked(`take-back:${this.remark}`, "撤回这条意见", "撤回后学员不再看到。请写明理由。", "撤回"));
  },
  cancel() {
    this.setData(NOT_ASKING);
  },
  async sendRemark(event: WechatMiniprogram.CustomEvent<{ text: string; nonce: string }>) {
    const { text, nonce } = event.detail;
    const done = await sendWords(this, () => (this.remark ? post("/teaching/remarks/{remark_id}/withdrawal", { reason: text }, { remark_id: this.remark }) : post("/teaching/submissions/{submission_id}/remarks", { text, nonce }, { submission_id: this.submission })));
    if (!done) return;
    say(this.remark ? "已撤回" : "已发出");
    await this.load();
  },
});
