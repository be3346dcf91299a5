// 绑定实名: name and number as on the roster, with what proves that the phone is theirs, which may also come later.
import { get, post, type Schemas } from "../../api/api";
import { draftOf, dropDraft, keepDraft } from "../../lib/drafts";
import { renew } from "../../api/session";
import { asProblem, say } from "../../lib/show";

const DRAFT = "bind";
type Field = "name" | "id_number" | "personal_code";

Page({
  data: { name: "", id_number: "", personal_code: "", agreed: false, consent: null as Schemas["ConsentItem"] | null, errors: {} as Partial<Record<Field | "agreed", string>>, failure: null as { title: string; detail: string } | null, busy: "" },
  phoneCode: "",
  version: "",
  onLoad() {
    // The number is never kept on the phone: it is typed again.
    this.setData(draftOf<{ name: string; personal_code: string }>(DRAFT) ?? {});
    return this.readConsent();
  },
  /** What is agreed to is what is shown, by its version. */
  async readConsent() {
    try {
      const { version, items } = await get("/consents/current");
      this.version = version;
      this.setData({ consent: items.find((one) => one.purpose === "real-name") ?? null, failure: null });
    } catch (error) {
      const problem = asProblem(error);
      this.setData({ failure: { title: problem.title, detail: problem.words } });
    }
  },
  type(event: WechatMiniprogram.Input) {
    const field = event.currentTarget.dataset["field"] as Field;
    this.setData({ [field]: event.detail.value, [`errors.${field}`]: "" });
    keepDraft(DRAFT, { name: this.data.name, personal_code: this.data.personal_code });
  },
  agree(event: WechatMiniprogram.CustomEvent<{ value: string[] }>) {
    this.setData({ agreed: event.detail.value.length > 0, "errors.agreed": "" });
  },
  /** The button of WeChat's own, which asks the person for the number that WeChat knows. */
  withPhone(event: WechatMiniprogram.ButtonGetPhoneNumber) {
    const { code } = event.detail as { code?: string };
    if (!code) {
      say("没有取得手机号，可以用通知上的核验码，或先提交后到现场核对");
      return;
    }
    this.phoneCode = code;
    void this.submit();
  },
  async submit() {
    if (this.data.busy) return;
    const errors = this.missing();
    this.setData({ errors, failure: null });
    if (Object.keys(errors).length) return;
    this.setData({ busy: "submit" });
    if (!this.version) await this.readConsent();
    if (!this.version) return this.setData({ busy: "" });
    const { name, id_number, personal_code } = this.data;
    try {
      await post("/real-name", { name: name.trim(), id_number: id_number.trim().toUpperCase(), consent_version: this.version, personal_code: personal_code.trim() || null, phone_code: this.phoneCode || null });
      dropDraft(DRAFT);
      await renew();
      say("实名已绑定");
      void wx.switchTab({ url: "/pages/home/home" });
    } catch (error) {
      const problem = asProblem(error);
      const wrong = { name: problem.field("name"), id_number: problem.field("id_number"), personal_code: problem.field("personal_code") };
      this.setData({ errors: wrong, failure: { title: problem.title, detail: problem.detail } });
    } finally {
      this.phoneCode = "";
      this.setData({ busy: "" });
    }
  },
  missing() {
    const { name, id_number, agreed } = this.data;
    const errors: Partial<Record<Field | "agreed", string>> = {};
    if (!name.trim()) errors.name = "请填写姓名。";
    if (id_number.trim().length !== 18) errors.id_number = "身份证号应为 18 位。";
    if (!agreed) errors.agreed = "请阅读并勾选同意。";
    return errors;
  },
});
