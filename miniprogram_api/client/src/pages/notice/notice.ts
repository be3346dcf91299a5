// 入学通知, 承诺书 and 报到: reading it is recorded once it has been shown; signed twice, it is signed once.
import { download, get, post, type Schemas } from "../../api/api";
import { lastFour } from "../../lib/answering";
import { moment, period } from "../../lib/moments";
import { meKnown } from "../../lib/people";
import { qrPicture } from "../../lib/qr";
import { LOADING, attempt, say, show } from "../../lib/show";

type Notice = Schemas["NoticeAnswer"];

const shown = (one: Notice) => ({
  name: one.class_name, discipline: one.discipline.map((rule) => ({ article: rule.article, text: rule.text })), pledge: one.pledge, version: one.text_version,
  signed: one.pledged_at ? `已于 ${moment(one.pledged_at)} 签署（第 ${one.pledge_version} 版）` : "", outdated: one.pledged_at !== null && one.pledge_version !== one.text_version,
  arrived: one.arrived_at ? `已于 ${moment(one.arrived_at)} 报到` : "", needed: one.arrival_required,
  facts: [
    { name: "学员", value: one.name }, { name: "培训机构", value: one.institution_name }, { name: "日期", value: period(one.starts_on, one.ends_on) }, { name: "地点", value: one.place }, { name: "报到", value: one.reporting }, { name: "请携带", value: one.to_bring },
  ],
});

Page({
  data: { ...LOADING, busy: "", name: "", facts: [] as { name: string; value: string }[], discipline: [] as { article: string; text: string }[], pledge: "", version: 0, signed: "", outdated: false, arrived: "", needed: false, agreed: false, unticked: "", code: "", digits: "" },
  id: "",
  onLoad(query: Record<string, string | undefined>) {
    this.id = query["class"] ?? "";
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  async load() {
    let unread = false;
    await show(this, async () => {
      const [one, me] = await Promise.all([get("/classes/{class_id}/admission-notice", { class_id: this.id }), meKnown()]);
      unread = one.opened_at === null;
      const digits = lastFour(me.person?.id_number_masked ?? "");
      return { ...shown(one), digits, code: digits ? qrPicture(digits) : "" };
    });
    // Opened is what was shown. Without a network it is recorded the next time.
    if (unread) await post("/classes/{class_id}/admission-notice/open", undefined, { class_id: this.id }).catch(() => undefined);
  },
  agree(event: WechatMiniprogram.CustomEvent<{ value: string[] }>) {
    this.setData({ agreed: event.detail.value.length > 0, unticked: "" });
  },
  async sign() {
    if (!this.data.agreed) return this.setData({ unticked: "请先阅读并勾选，再签署。" });
    const done = await attempt(this, "sign", async () => {
      await post("/classes/{class_id}/admission-notice/pledge", { text_version: this.data.version }, { class_id: this.id });
    });
    if (done) say("承诺书已签署");
    // The text may have changed since it was read: then the new one is shown, not ticked.
    else this.setData({ agreed: false });
    await this.load();
  },
  paper() {
    return attempt(this, "paper", async () => {
      await wx.openDocument({ filePath: await download("/classes/{class_id}/admission-notice/pdf", { class_id: this.id }), fileType: "pdf", showMenu: true });
    });
  },
});
