// 签到: scan or type the code; each refusal with its words and what to do next. A scan that met no network is sent again with its nonce.
import { post, type Body, type Answer } from "../../api/api";
import { clock } from "../../lib/moments";
import { nonce } from "../../lib/nonce";
import { asProblem } from "../../lib/show";

type CheckIn = Answer<"/check-ins", "post">;
type Scan = Body<"/check-ins", "post">;

const DEVICE = "device";

/** What to do after a refusal, beside the platform's own words. */
const NEXT: Record<string, "scan" | "again" | "bind" | "none"> = {
  "code-expired": "scan", "code-invalid": "scan", "no-network": "again", "too-slow": "again", "broken": "again", "portal": "again", "real-name-needed": "bind", "forbidden": "bind", "phone-unconfirmed": "bind", "check-in-under-way": "again", "unavailable": "again", "too-many-requests": "again", "session-not-open": "none", "not-enrolled": "none", "not-arrived": "none", "check-in-void": "none",
};

/** Made by this installation for itself, and kept. */
function device(): string {
  const known = wx.getStorageSync(DEVICE) as string;
  if (known) return known;
  const made = nonce();
  wx.setStorageSync(DEVICE, made);
  return made;
}

/** Where the phone is; null where that is refused or unknown, which flags the check-in and does not stop it. */
async function place(): Promise<Scan["location"]> {
  try {
    const { latitude, longitude, accuracy } = await wx.getLocation({ type: "wgs84", isHighAccuracy: true });
    return { latitude, longitude, accuracy, datum: "WGS-84" };
  } catch {
    return null;
  }
}

Page({
  data: { typed: "", busy: false, done: null as { title: string; detail: string; late: boolean } | null, failure: null as { title: string; detail: string; next: string } | null },
  scan: null as Scan | null,
  located: false,
  onLoad(query: Record<string, string | undefined>) {
    this.located = query["located"] === "1";
    // WeChat's own scanner opens this page with the address of the code.
    if (query["q"]) void this.send(decodeURIComponent(query["q"]));
  },
  type(event: WechatMiniprogram.Input) {
    this.setData({ typed: event.detail.value });
  },
  async scanCode() {
    let result: string;
    try {
      ({ result } = await wx.scanCode({ onlyFromCamera: true, scanType: ["qrCode"] }));
    } catch (failure) {
      const { errMsg = "" } = failure as { errMsg?: string };
      if (!/cancel/.test(errMsg)) this.setData({ failure: { title: "相机不能使用", detail: "请在微信的设置中允许使用相机，或在下面输入屏幕上的签到码。", next: "none" } });
      return;
    }
    await this.send(result);
  },
  async sendTyped() {
    const code = this.data.typed.trim();
    if (code) await this.send(code);
    else this.setData({ failure: { title: "还没有输入签到码", detail: "请输入屏幕上二维码下面的码。", next: "none" } });
  },
  async again() {
    if (this.scan) await this.send(this.scan.code, this.scan.nonce);
  },
  async send(code: string, again = nonce()) {
    if (this.data.busy) return;
    this.setData({ busy: true, failure: null, done: null });
    this.scan = { code, nonce: again, device: device(), location: this.located ? await place() : null };
    try {
      this.said(await post("/check-ins", this.scan));
    } catch (error) {
      const problem = asProblem(error);
      this.setData({ failure: { title: problem.title, detail: problem.words, next: NEXT[problem.type] ?? "none" } });
    } finally {
      this.setData({ busy: false });
    }
  },
  said(answer: CheckIn) {
    const late = answer.status === "late";
    this.setData({ typed: "", done: { title: late ? "已签到，记为迟到" : "签到成功", detail: [`${clock(answer.checked_in_at)} 签到`, answer.session_title, answer.place, answer.class_name].filter(Boolean).join("\n"), late } });
    void wx.vibrateShort({ type: "medium" }).catch(() => undefined);
  },
  bind() {
    void wx.navigateTo({ url: "/pages/bind/bind" });
  },
  home() {
    void wx.switchTab({ url: "/pages/home/home" });
  },
});
