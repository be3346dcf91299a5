// The scheme of a class that I teach: read it, see what changed, say something, change a part, sign exactly the version that was read.
import { Problem, get, post } from "../../api/api";
import { clock, dayOf, moment } from "../../lib/moments";
import { TITLES, type Part, type Scheme } from "../../lib/scheme";
import { LOADING, asProblem, attempt, say, show } from "../../lib/show";
import { NOT_ASKING, asked, sendWords } from "../../lib/words";

const CHANGEABLE = ["DRAFT", "SIGNING", "RETURNED", "APPROVED"];
const CHANGED: Record<string, string> = { added: "新增", removed: "删去", changed: "修改" };

function partsOf(one: Scheme) {
  const sessions = one.sessions_now ?? one.sessions;
  const lines: [Part, string[]][] = [
    ["objectives", [one.objectives]],
    ["courses", [...one.courses.map((row) => `${row.title} · ${row.hours} 课时 · ${row.teacher_name || "教师未定"}`), `合计 ${one.course_hours} 课时`]],
    ["sessions", sessions.map((row) => `${dayOf(row.starts_at)} ${clock(row.starts_at)}–${clock(row.ends_at)} ${row.title} · ${row.hours} 课时 · ${row.place}${row.teacher_name ? ` · ${row.teacher_name}` : ""}`)],
    ["tasks", one.tasks.map((row) => `${row.kind_title}：${row.title}，${moment(row.deadline)} 截止（${row.criteria.map((each) => `${each.title} ${each.points}`).join("，")}）${row.assessor_name}`)],
    ["places", [one.places]],
    ["materials", [one.materials]],
  ];
  return lines.map(([part, words]) => ({ part, title: TITLES[part], lines: words.filter(Boolean) }));
}

Page({
  data: {
    ...LOADING, ...NOT_ASKING, busy: "", none: false, name: "", version: 0, status: "", adjusted: [] as string[], parts: [] as ReturnType<typeof partsOf>, open: "objectives", changes: [] as string[], shortcomings: [] as string[], weights: "",
    signatures: [] as { name: string; value: string }[], maySign: false, mayChange: false, signed: false, remarks: [] as { key: number; words: string }[], versions: [] as string[],
  },
  id: "",
  onLoad(query: Record<string, string | undefined>) {
    this.id = query["class"] ?? "";
  },
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      try {
        return this.shown(await get("/teaching/classes/{class_id}/scheme", { class_id: this.id }));
      } catch (error) {
        if (error instanceof Problem && error.type === "scheme-not-drafted") return null;
        throw error;
      }
    });
  },
  shown(one: Scheme) {
    return {
      name: one.class_name, version: one.version, status: `第 ${one.version} 版 · ${one.state_title} · ${one.saved_by_teacher ? "" : "培训机构 "}${one.saved_by} ${moment(one.saved_at)} 保存${one.version_in_force && one.version_in_force !== one.version ? `（现行第 ${one.version_in_force} 版）` : ""}`,
      adjusted: one.adjusted_by, parts: partsOf(one), weights: `过程性考核占 ${one.formative_weight}%，终结性考核占 ${100 - one.formative_weight}%`,
      changes: one.changes.map((each) => `${each.section} ${CHANGED[each.kind] ?? each.kind}：${each.what}${each.before ? `，原为 ${each.before}` : ""}${each.after ? `，现为 ${each.after}` : ""}`),
      shortcomings: one.shortcomings, signatures: one.signatures.map((each) => ({ name: each.name, value: each.signed_at ? `${moment(each.signed_at)} 签署` : "未签署" })),
      signed: one.signed_by_me, maySign: one.state === "SIGNING" && !one.signed_by_me, mayChange: CHANGEABLE.includes(one.state),
      remarks: one.remarks.map((each, key) => ({ key, words: `${moment(each.at)} ${each.author_name}（第 ${each.version} 版）：${each.text}` })),
      versions: one.versions.map((each) => `第 ${each.version} 版 ${each.state_title} · ${moment(each.saved_at)} ${each.saved_by}`),
    };
  },
  toggle(event: WechatMiniprogram.TouchEvent) {
    const part = event.currentTarget.dataset["part"] as string;
    this.setData({ open: this.data.open === part ? "" : part });
  },
  change(event: WechatMiniprogram.TouchEvent) {
    void wx.navigateTo({ url: `/pages/scheme-part/scheme-part?class=${this.id}&part=${event.currentTarget.dataset["part"]}` });
  },
  async sign() {
    const { version } = this.data;
    const { confirm } = await wx.showModal({ title: `签署第 ${version} 版`, content: "签署表示您参与了方案的研制并同意这一版的内容。方案再有修改时，需要重新签署。", confirmText: "签署" });
    if (!confirm) return;
    await attempt(this, "sign", async () => {
      try {
        this.setData(this.shown(await post("/teaching/classes/{class_id}/scheme/signature", { version }, { class_id: this.id })));
        say("已签署");
      } catch (error) {
        if (asProblem(error).type === "scheme-version-outdated") await this.load();
        throw error;
      }
    });
  },
  remark() {
    this.setData(asked(`scheme-remark:${this.id}`, "对方案的意见", "培训机构和本班教师都能看到。", "发出意见", 2));
  },
  cancel() {
    this.setData(NOT_ASKING);
  },
  async sendRemark(event: WechatMiniprogram.CustomEvent<{ text: string; nonce: string }>) {
    const { text, nonce } = event.detail;
    const done = await sendWords(this, () => post("/teaching/classes/{class_id}/scheme/remarks", { text, nonce }, { class_id: this.id }));
    if (!done) return;
    say("已发出");
    await this.load();
  },
});
