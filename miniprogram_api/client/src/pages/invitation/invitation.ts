// One letter: what is asked, and the answer. Accepting is asked once more; declining says why. Sent twice, both answer the same.
import { download, get, post, type Schemas } from "../../api/api";
import { moment, period } from "../../lib/moments";
import { LOADING, attempt, say, show } from "../../lib/show";
import { NOT_ASKING, asked, sendWords } from "../../lib/words";

type Letter = Schemas["InvitationAnswer"];

const shown = (one: Letter) => ({
  name: one.class_name, message: one.message, waits: one.state === "SENT", accepted: one.state === "ACCEPTED", classId: one.class_id,
  status: one.state === "SENT" ? `请在 ${moment(one.reply_by)} 前答复，过时不能再答复。` : `${one.state_title}${one.answered_at ? `（${moment(one.answered_at)}）` : ""}${one.reason ? `：${one.reason}` : ""}`,
  facts: [
    { name: "任务", value: `${one.kind_title}：${one.asked}` }, { name: "培训机构", value: one.institution_name }, { name: "等级", value: one.level_title }, { name: "专业大类", value: one.major_name }, { name: "日期", value: period(one.starts_on, one.ends_on) },
    { name: "课时", value: `${one.class_hours} 课时` }, { name: "地点", value: one.place }, { name: "发出", value: moment(one.sent_at) },
  ],
});

Page({
  data: { ...LOADING, ...NOT_ASKING, busy: "", name: "", message: "", waits: false, accepted: false, classId: "", status: "", facts: [] as { name: string; value: string }[] },
  id: "",
  onLoad(query: Record<string, string | undefined>) {
    this.id = query["id"] ?? "";
  },
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => shown(await get("/teaching/invitations/{invitation_id}", { invitation_id: this.id })));
  },
  async accept() {
    const { confirm } = await wx.showModal({ title: "接受邀请", content: `接受后，${this.data.name} 由您承担上述任务。之后不能自己撤销，需要变动的请联系培训机构。`, confirmText: "接受" });
    if (!confirm) return;
    const done = await attempt(this, "accept", async () => {
      this.setData(shown(await post("/teaching/invitations/{invitation_id}/accept", undefined, { invitation_id: this.id })));
    });
    if (done) say("已接受");
    else await this.load();
  },
  decline() {
    this.setData(asked(`decline:${this.id}`, "谢绝邀请", "培训机构会看到理由。谢绝后不能再接受，需要重新邀请。", "谢绝"));
  },
  cancel() {
    this.setData(NOT_ASKING);
  },
  async sendDecline(event: WechatMiniprogram.CustomEvent<{ text: string }>) {
    const done = await sendWords(this, async () => this.setData(shown(await post("/teaching/invitations/{invitation_id}/decline", { reason: event.detail.text }, { invitation_id: this.id }))));
    if (done) say("已谢绝");
  },
  paper() {
    return attempt(this, "paper", async () => {
      await wx.openDocument({ filePath: await download("/teaching/invitations/{invitation_id}/pdf", { invitation_id: this.id }), fileType: "pdf", showMenu: true });
    });
  },
  toClass() {
    void wx.navigateTo({ url: `/pages/taught/taught?id=${this.data.classId}` });
  },
});
