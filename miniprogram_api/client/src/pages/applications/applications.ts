// What I applied for and how it stands; taken back after being asked once more.
import { get, post, type Schemas } from "../../api/api";
import { moment, period } from "../../lib/moments";
import { LOADING, attempt, say, show } from "../../lib/show";

type Item = Schemas["MyApplicationItem"];
const UNDER_WAY = ["APPLIED", "INSTITUTION_AGREED", "TEACHER_AGREED", "WAITING"];
const TONES: Record<string, string> = { ADMITTED: "", REJECTED: "mark-danger", WITHDRAWN: "mark-soft", CLOSED: "mark-soft" };

const asRow = (one: Item) => ({ id: one.id, classId: one.class_id, name: one.class_name, when: `${period(one.starts_on, one.ends_on)} · ${one.place}`, applied: `${one.institution_name} · ${moment(one.applied_at)} 报名`, reason: one.reason, mark: one.state_title, tone: TONES[one.state] ?? "mark-warn", open: UNDER_WAY.includes(one.state), admitted: one.state === "ADMITTED" });

Page({
  data: { ...LOADING, busy: "", items: [] as ReturnType<typeof asRow>[] },
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const { items } = await get("/my-applications", {}, { limit: 50 });
      return items.length ? { items: items.map(asRow) } : null;
    });
  },
  async takeBack(event: WechatMiniprogram.TouchEvent) {
    const { id, name } = event.currentTarget.dataset as { id: string; name: string };
    const { confirm } = await wx.showModal({ title: "撤回报名", content: `撤回后不再参加“${name}”的录取。报名截止前可以重新报名，要重新审核。`, confirmText: "撤回" });
    if (!confirm) return;
    const done = await attempt(this, id, async () => {
      await post("/my-applications/{applicant_id}/withdraw", undefined, { applicant_id: id });
    });
    if (done) say("已撤回");
    await this.load();
  },
  open(event: WechatMiniprogram.TouchEvent) {
    void wx.navigateTo({ url: `/pages/notice/notice?class=${event.currentTarget.dataset["id"]}` });
  },
});
