// One class that takes applications, and applying with what I need of it. What is typed stays on the phone until it is sent; an
// application that was sent twice is one.
import { get, post, type Schemas } from "../../api/api";
import { draftOf, dropDraft, keepDraft } from "../../lib/drafts";
import { moment, period } from "../../lib/moments";
import { LOADING, asProblem, say, show } from "../../lib/show";

type Question = Schemas["QuestionItem"];
const NOTHING = { work_unit: "", post: "", years_of_teaching: "", major_taught: "" };
type Form = typeof NOTHING;
const FIELDS = [
  { key: "work_unit", label: "工作单位", most: 60, keyboard: "text" }, { key: "post", label: "职务或职称", most: 40, keyboard: "text" },
  { key: "years_of_teaching", label: "任教年限（年）", most: 2, keyboard: "number" }, { key: "major_taught", label: "任教专业", most: 40, keyboard: "text" },
];

Page({
  data: { ...LOADING, busy: "", name: "", facts: [] as { name: string; value: string }[], full: "", fields: FIELDS, form: NOTHING as Form, questions: [] as Question[], answers: {} as Record<string, string>, errors: {} as Record<string, string>, refusal: "", toBind: false },
  id: "",
  onLoad(query: Record<string, string | undefined>) {
    this.id = query["id"] ?? "";
    const draft = draftOf<{ form: Form; answers: Record<string, string> }>(this.draftKey());
    if (draft) this.setData(draft);
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  draftKey() {
    return `apply:${this.id}`;
  },
  load() {
    return show(this, async () => {
      const one = await get("/open-classes/{class_id}", { class_id: this.id });
      return {
        name: one.name, questions: one.questions, full: one.admitted >= one.places ? "名额已满，报名后进入候补，有人退出时按顺序递补。" : "",
        facts: [
          { name: "培训机构", value: one.institution_name }, { name: "级别", value: one.level_title }, { name: "专业大类", value: one.major_name }, { name: "课程", value: one.courses.join("、") }, { name: "日期", value: period(one.starts_on, one.ends_on) }, { name: "地点", value: one.place },
          { name: "课时", value: `${one.class_hours} 课时` }, { name: "授课", value: one.teachers.join("、") }, { name: "名额", value: `${one.places} 人，已录取 ${one.admitted} 人，候补 ${one.waiting} 人` }, { name: "报名截止", value: moment(one.enrolment_closes) }, { name: "报到", value: one.reporting }, { name: "请携带", value: one.to_bring },
        ],
      };
    });
  },
  type(event: WechatMiniprogram.Input) {
    const field = event.currentTarget.dataset["field"] as string;
    this.setData({ [`form.${field}`]: event.detail.value, [`errors.${field}`]: "", refusal: "" });
    this.keep();
  },
  need(event: WechatMiniprogram.Input) {
    this.answer(event.currentTarget.dataset["key"] as string, event.detail.value);
  },
  choose(event: WechatMiniprogram.TouchEvent) {
    const { key, option } = event.currentTarget.dataset as { key: string; option: string };
    this.answer(key, this.data.answers[key] === option ? "" : option);
  },
  answer(key: string, words: string) {
    this.setData({ [`answers.${key}`]: words, [`errors.${key}`]: "", refusal: "" });
    this.keep();
  },
  keep() {
    const { form, answers } = this.data;
    if (!keepDraft(this.draftKey(), { form, answers })) this.setData({ refusal: "手机存储空间不足，填写的内容没有保存在手机上，请尽快提交。" });
  },
  async submit() {
    if (this.data.busy) return;
    const { form, answers } = this.data;
    const errors: Record<string, string> = {};
    for (const { key, label } of FIELDS) if (!form[key as keyof Form].trim()) errors[key] = `请填写${label}。`;
    if (form.years_of_teaching && !/^\d{1,2}$/.test(form.years_of_teaching.trim())) errors["years_of_teaching"] = "请填整数，不满一年填 0。";
    for (const { key, options } of this.data.questions) if (options.length && !answers[key]) errors[key] = "请选择一项。";
    this.setData({ errors, toBind: false, refusal: Object.keys(errors).length ? "还有没填好的，见上面红字。" : "" });
    if (Object.keys(errors).length) return;
    this.setData({ busy: "submit" });
    try {
      const given = Object.fromEntries(Object.entries(answers).map(([key, words]) => [key, words.trim()]).filter(([, words]) => words));
      await post("/open-classes/{class_id}/applications", { work_unit: form.work_unit.trim(), post: form.post.trim(), years_of_teaching: Number(form.years_of_teaching), major_taught: form.major_taught.trim(), answers: given }, { class_id: this.id });
      dropDraft(this.draftKey());
      say("已报名");
      void wx.redirectTo({ url: "/pages/applications/applications" });
    } catch (error) {
      const problem = asProblem(error);
      this.setData({ refusal: `${problem.title}：${problem.words}`, toBind: problem.type === "real-name-needed", errors: Object.fromEntries(FIELDS.map(({ key }) => [key, problem.field(key)])) });
    } finally {
      this.setData({ busy: "" });
    }
  },
  bind() {
    void wx.navigateTo({ url: "/pages/bind/bind" });
  },
});
