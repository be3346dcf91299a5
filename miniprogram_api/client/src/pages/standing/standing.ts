// 动态管理: my two years, warnings, and cases with my right to state. The same statement sent again answers the same.
import { download, get, post, type Schemas } from "../../api/api";
import { day, moment } from "../../lib/moments";
import { LOADING, attempt, say, show } from "../../lib/show";
import { NOT_ASKING, asked, sendWords } from "../../lib/words";

const asWarning = (one: Schemas["WarningAnswer"], key: number) => ({ key, words: `${one.grade_title}：${one.rule_title}`, note: `${day(one.given_on)} 提醒${one.holds ? "" : "，现已解除"}${one.coming ? `；已接受 ${one.coming.class_name}（${day(one.coming.starts_on)} 开班），开班后解除` : ""}`, holds: one.holds });
const asCase = (one: Schemas["CaseAnswer"]) => ({
  id: one.id, title: `${one.rule_title}（${one.article}）`, mark: one.state_title, may: one.may_state, until: one.may_state ? `可以陈述到 ${day(one.state_until)}` : "", facts: one.facts.map((fact) => ({ name: fact.title, value: fact.value })),
  statements: one.statements.map((said, key) => ({ key, words: `${moment(said.at)} 我的陈述：${said.text}` })), decisions: one.decisions.map((each) => ({ number: each.number, words: `${each.number} ${each.outcome_title}，${day(each.effective_on)} 起：${each.reason}` })),
});

Page({
  data: { ...LOADING, ...NOT_ASKING, busy: "", facts: [] as { name: string; value: string }[], warnings: [] as ReturnType<typeof asWarning>[], cases: [] as ReturnType<typeof asCase>[] },
  caseId: "",
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const one = await get("/teaching/qualification");
      return {
        facts: [{ name: "状态", value: one.status_title }, { name: "入库", value: day(one.registered_on) }, { name: "两年起算", value: day(one.idle_since) }, { name: "两年届满", value: one.two_years_full_on ? day(one.two_years_full_on) : "" }],
        warnings: one.warnings.map(asWarning), cases: one.cases.map(asCase),
      };
    });
  },
  ask(event: WechatMiniprogram.TouchEvent) {
    this.caseId = event.currentTarget.dataset["id"] as string;
    this.setData(asked(`statement:${this.caseId}`, "陈述", "省级管理部门和部指导中心会看到，决定前会考虑。提交后不能收回，可以再补充。", "提交陈述"));
  },
  cancel() {
    this.setData(NOT_ASKING);
  },
  async send(event: WechatMiniprogram.CustomEvent<{ text: string }>) {
    const done = await sendWords(this, () => post("/teaching/qualification-cases/{case_id}/statement", { text: event.detail.text }, { case_id: this.caseId }));
    if (!done) return;
    say("已提交");
    await this.load();
  },
  paper(event: WechatMiniprogram.TouchEvent) {
    const { id, number } = event.currentTarget.dataset as { id: string; number: string };
    return attempt(this, `paper ${number}`, async () => {
      await wx.openDocument({ filePath: await download("/teaching/qualification-cases/{case_id}/decisions/{decision_number}/pdf", { case_id: id, decision_number: number }), fileType: "pdf", showMenu: true });
    });
  },
});
