// What I asked for my certificates, and what is held against one: each with its steps, the statement while it is heard, taking back.
import { get, post, type Schemas } from "../../api/api";
import { day, moment } from "../../lib/moments";
import { LOADING, attempt, say, show } from "../../lib/show";
import { NOT_ASKING, asked, sendWords } from "../../lib/words";

type Item = Schemas["CertificateRequestAnswer"];

const asRow = (one: Item) => ({
  id: one.id, title: `${one.kind_title} · ${one.class_name}`, number: one.certificate_number, mark: one.state_title, tone: one.open ? "mark-warn" : "mark-soft", reason: one.reason, mayWithdraw: one.may_withdraw, newOne: one.new_certificate_id ?? "",
  hearing: one.state === "HEARING", until: one.until ? `请在 ${day(one.until)} 前陈述。` : "", statement: one.statement, agreed: one.agrees === null ? "" : one.agrees ? "您表示同意撤销。" : "您表示不同意撤销。",
  steps: one.steps.map((step, index) => ({ key: index, words: [moment(step.at), step.title, step.reason].filter(Boolean).join(" · ") })),
});

Page({
  data: { ...LOADING, ...NOT_ASKING, busy: "", items: [] as ReturnType<typeof asRow>[] },
  request: "",
  agrees: false,
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const { items } = await get("/certificate-requests", {}, { limit: 50 });
      return items.length ? { items: items.map(asRow) } : null;
    });
  },
  async takeBack(event: WechatMiniprogram.TouchEvent) {
    const { id } = event.currentTarget.dataset as { id: string };
    const { confirm } = await wx.showModal({ title: "撤回申请", content: "撤回后证书照旧。需要时可以重新申请。", confirmText: "撤回" });
    if (!confirm) return;
    const done = await attempt(this, id, async () => {
      await post("/certificate-requests/{reissue_id}/withdraw", undefined, { reissue_id: id });
    });
    if (done) say("已撤回");
    await this.load();
  },
  state(event: WechatMiniprogram.TouchEvent) {
    const { id, agrees } = event.currentTarget.dataset as { id: string; agrees: string };
    this.request = id;
    this.agrees = agrees === "yes";
    this.setData(asked(`statement:${id}:${agrees}`, this.agrees ? "同意撤销，并说明情况" : "不同意撤销，陈述理由", "陈述随案卷保存，作出决定前会考虑。", "提交陈述"));
  },
  cancel() {
    this.setData(NOT_ASKING);
  },
  async sendStatement(event: WechatMiniprogram.CustomEvent<{ text: string }>) {
    const done = await sendWords(this, () => post("/certificate-requests/{reissue_id}/statement", { text: event.detail.text, agrees: this.agrees }, { reissue_id: this.request }));
    if (!done) return;
    say("已提交陈述");
    await this.load();
  },
  open(event: WechatMiniprogram.TouchEvent) {
    void wx.navigateTo({ url: `/pages/certificate/certificate?id=${event.currentTarget.dataset["id"]}` });
  },
});
