// One survey. The answers are a draft of the phone until they are sent, and are gone from it then: nobody can be told by them.
import { get, post } from "../../api/api";
import { toSend, unanswered, type Answers, type Question } from "../../lib/answering";
import { draftOf, dropDraft, keepDraft } from "../../lib/drafts";
import { moment } from "../../lib/moments";
import { LOADING, asProblem, show } from "../../lib/show";

type Asked = Question & { topic: string };

Page({
  data: { ...LOADING, busy: "", name: "", about: "", over: "", scale: [] as { points: number; label: string }[], questions: [] as Asked[], answers: {} as Answers, open: {} as Record<string, boolean>, refusal: "" },
  id: "",
  onLoad(query: Record<string, string | undefined>) {
    this.id = query["id"] ?? "";
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  draftKey() {
    return `survey:${this.id}`;
  },
  load() {
    return show(this, async () => {
      const one = await get("/surveys/{survey_id}", { survey_id: this.id });
      if (one.answered) dropDraft(this.draftKey());
      const over = one.answered ? "您已评价，谢谢。评价不能再更改，也看不出是谁写的。" : one.state === "PLANNED" ? `${moment(one.opens_at)} 开始评价。` : one.state === "CLOSED" ? "评价已截止。" : "";
      return {
        name: one.class_name, about: `${moment(one.closes_at)} 截止。评价不记名，提交后不能更改。`, over, scale: one.scale, answers: draftOf<Answers>(this.draftKey()) ?? {},
        questions: one.questions.map((question): Asked => ({ key: question.key, kind: question.kind, topic: question.teacher_name ? `${question.teacher_name}：${question.topic}` : question.topic })),
      };
    });
  },
  choose(event: WechatMiniprogram.TouchEvent) {
    const { key, points } = event.currentTarget.dataset as { key: string; points: number };
    this.keep(key, Number(points));
  },
  type(event: WechatMiniprogram.Input) {
    this.keep(event.currentTarget.dataset["key"] as string, event.detail.value);
  },
  keep(key: string, answer: number | string) {
    const answers = { ...this.data.answers, [key]: answer };
    this.setData({ answers, [`open.${key}`]: false, refusal: "" });
    keepDraft(this.draftKey(), answers);
  },
  async submit() {
    if (this.data.busy) return;
    const { questions, answers } = this.data;
    const open = unanswered(questions, answers);
    this.setData({ open: Object.fromEntries(open.map((key) => [key, true])), refusal: open.length ? `还有 ${open.length} 题没有评分，见上面红字。` : "" });
    if (open.length) return;
    this.setData({ busy: "submit" });
    try {
      await post("/surveys/{survey_id}/responses", { answers: toSend(questions, answers) }, { survey_id: this.id });
      dropDraft(this.draftKey());
      await this.load();
    } catch (error) {
      const problem = asProblem(error);
      this.setData({ refusal: `${problem.title}：${problem.words}` });
    } finally {
      this.setData({ busy: "" });
    }
  },
});
