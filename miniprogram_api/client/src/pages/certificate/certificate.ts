// One certificate: its picture, as a file, the address by which anybody may check it without my number, what happened to it, and asking
// for another one.
import { Problem, download, get, post, type Schemas } from "../../api/api";
import { day, moment } from "../../lib/moments";
import { LOADING, attempt, say, show } from "../../lib/show";
import { NOT_ASKING, asked, sendWords } from "../../lib/words";

type Kind = Schemas["CertificateRequest"]["kind"];
const KINDS: [Kind, string][] = [["LOST", "证书遗失，申请补发"], ["DAMAGED", "证书损坏，申请换发"], ["CORRECTED", "信息有误，申请更正换发"]];
const STATUS: Record<string, [string, string]> = { PENDING: ["正在核发", "mark-warn"], VALID: ["有效", ""], REVOKED: ["已撤销", "mark-danger"], REISSUED: ["已补发，本证作废", "mark-danger"], REPLACED: ["已换发，本证作废", "mark-danger"], VOID: ["作废", "mark-danger"], IN_DOUBT: ["核查中", "mark-warn"] };

/** Nothing was handed over on paper: that is no failure. */
const ifAny = <Found>(call: Promise<Found>) => call.catch((error: unknown) => {
  if (error instanceof Problem && error.type === "certificate-not-handed-over") return null;
  throw error;
});

Page({
  data: { ...LOADING, ...NOT_ASKING, busy: "", picture: "", verifyUrl: "", mark: "", tone: "", reason: "", valid: false, facts: [] as { name: string; value: string }[], paper: "", toConfirm: false, history: [] as { key: number; title: string; note: string }[] },
  id: "",
  kind: "LOST" as Kind,
  onLoad(query: Record<string, string | undefined>) {
    this.id = query["id"] ?? "";
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const places = { certificate_id: this.id };
      const [one, { items }, handed, picture] = await Promise.all([get("/certificates/{certificate_id}", places), get("/certificates/{certificate_id}/history", places), ifAny(get("/certificates/{certificate_id}/handover", places)), download("/certificates/{certificate_id}/png", places).catch(() => "")]);
      const [mark, tone] = STATUS[one.status]!;
      return {
        verifyUrl: one.verify_url ?? "", picture, mark, tone, reason: one.revoke_reason ?? "", valid: one.status === "VALID",
        facts: [{ name: "培训班", value: one.class_name }, { name: "证书编号", value: one.number }, { name: "核发日期", value: day(one.issued_on) }, { name: "核发机构", value: one.issuer }],
        paper: handed ? `纸质证书：${handed.how_title}，${day(handed.on)}${handed.recipient ? `，${handed.recipient}` : ""}${handed.tracking ? `，${handed.carrier} ${handed.tracking}` : ""}` : "", toConfirm: handed !== null && handed.confirmed_at === null,
        history: items.map((event, index) => ({ key: index, title: event.title, note: [moment(event.at), event.number, event.reason].filter(Boolean).join(" · ") })),
      };
    });
  },
  look() {
    if (this.data.picture) void wx.previewImage({ urls: [this.data.picture] });
  },
  save() {
    return attempt(this, "save", async () => {
      try {
        await wx.saveImageToPhotosAlbum({ filePath: this.data.picture });
      } catch (failure) {
        if (/cancel/.test((failure as { errMsg?: string }).errMsg ?? "")) return;
        throw new Problem("album-refused", "没有保存到相册", "请在微信的设置中允许保存到相册，或打开 PDF 后转发保存。");
      }
      say("已保存到相册");
    });
  },
  pdf() {
    return attempt(this, "pdf", async () => {
      const filePath = await download("/certificates/{certificate_id}/pdf", { certificate_id: this.id });
      await wx.openDocument({ filePath, fileType: "pdf", showMenu: true });
    });
  },
  share() {
    void wx.setClipboardData({ data: this.data.verifyUrl });
  },
  async confirmPaper() {
    const done = await attempt(this, "paper", async () => {
      await post("/certificates/{certificate_id}/handover", undefined, { certificate_id: this.id });
    });
    if (done) say("已确认收到");
    await this.load();
  },
  async ask() {
    try {
      const { tapIndex } = await wx.showActionSheet({ itemList: KINDS.map(([, words]) => words) });
      const [kind, words] = KINDS[tapIndex]!;
      this.kind = kind;
      this.setData(asked(`certificate:${this.id}:${kind}`, words, "请写明情况；信息有误的，写明哪一项应当是什么。培训机构核实后办理，新证核发后旧证作废。", "提交申请"));
    } catch {
      // The sheet was closed: nothing was chosen.
    }
  },
  cancel() {
    this.setData(NOT_ASKING);
  },
  async sendAsk(event: WechatMiniprogram.CustomEvent<{ text: string; nonce: string }>) {
    const { text, nonce } = event.detail;
    const done = await sendWords(this, () => post("/certificates/{certificate_id}/requests", { kind: this.kind, reason: text, nonce }, { certificate_id: this.id }));
    if (!done) return;
    say("已提交申请");
    this.requests();
  },
  requests() {
    void wx.navigateTo({ url: "/pages/certificate-requests/certificate-requests" });
  },
});
