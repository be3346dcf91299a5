// What only WeChat has: log-in, consent to privacy, agreement to messages. Here the simulated WeChat of the platform answers for it.
import { Failure, call } from "./call";
import type { Dialogs } from "./dialogs";
import type { storage } from "./storage";

type PrivacyAnswer = { event: "exposureAuthorization" | "agree" | "disagree"; buttonId?: string };
type PrivacyListener = (resolve: (answer: PrivacyAnswer) => void, info: { referrer: string }) => void;

const AGREED = "wx:privacy-agreed";
const MOST_TEMPLATES = 3;

async function simulated(openid: string, path: string, method = "POST"): Promise<{ code: string }> {
  const answer = await fetch(`/simulator/phones/${encodeURIComponent(openid)}/${path}`, { method, body: method === "POST" ? "{}" : undefined, headers: { "content-type": "application/json" }, credentials: "omit" });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json() as Promise<{ code: string }>;
}

export class WeiXin {
  private privacyListener?: PrivacyListener;
  private waiting?: Promise<boolean>;
  private agree?: (agreed: boolean) => void;

  constructor(private readonly openid: string, private readonly kept: ReturnType<typeof storage>, private readonly dialogs: Dialogs) {}

  private get agreed(): boolean {
    return this.kept.getStorageSync(AGREED) === true;
  }

  /** Asks the page's popup for consent, once; a page without one is asked nothing and may go on, as in the developer's tools. */
  async askPrivacy(referrer: string): Promise<void> {
    if (this.agreed || !this.privacyListener) return;
    this.waiting ??= new Promise<boolean>((done) => {
      this.agree = done;
      this.privacyListener!((answer) => { if (answer.event !== "exposureAuthorization") this.settle(answer.event === "agree"); }, { referrer });
    });
    if (!(await this.waiting)) throw new Failure(referrer, "privacy permission is not authorized", 104);
  }

  /** By the button `open-type="agreePrivacyAuthorization"`, or by the popup's own answer. */
  settle(agreed: boolean): void {
    if (agreed) this.kept.setStorageSync(AGREED, true);
    this.agree?.(agreed);
    this.agree = this.waiting = undefined;
  }

  async opened(openType: string): Promise<[string, unknown] | null> {
    switch (openType) {
      case "agreePrivacyAuthorization":
        this.settle(true);
        return ["agreeprivacyauthorization", { errMsg: "ok" }];
      case "getPhoneNumber":
        try {
          await this.askPrivacy("getPhoneNumber");
          const { code } = await simulated(this.openid, "phone-number-code");
          return ["getphonenumber", { code, errMsg: "getPhoneNumber:ok" }];
        } catch (error) {
          return ["getphonenumber", { errMsg: `getPhoneNumber:fail ${String((error as Error).message)}` }];
        }
      default:
        return null;
    }
  }

  calls() {
    return {
      login: call("login", async () => ({ code: (await simulated(this.openid, "code")).code })),
      checkSession: call("checkSession", () => undefined),
      getPrivacySetting: call("getPrivacySetting", () => ({ needAuthorization: !this.agreed, privacyContractName: "《用户隐私保护指引》" })),
      onNeedPrivacyAuthorization: (listener: PrivacyListener) => { this.privacyListener = listener; },
      requirePrivacyAuthorize: call("requirePrivacyAuthorize", () => this.askPrivacy("requirePrivacyAuthorize")),
      openPrivacyContract: call("openPrivacyContract", async () => {
        await this.dialogs.ask({ title: "用户隐私保护指引", content: "正式使用时，这里由微信打开在公众平台填写的《用户隐私保护指引》。", showCancel: false });
      }),
      requestSubscribeMessage: call("requestSubscribeMessage", async ({ tmplIds }: { tmplIds: string[] }) => {
        if (tmplIds.length > MOST_TEMPLATES) throw new Failure("requestSubscribeMessage", "the length of tmplIds exceeds 3");
        const ticks = await this.dialogs.tick("允许发送以下消息", tmplIds.map((_, index) => `工学一体化培训的通知（${index + 1}）`));
        return Object.fromEntries(tmplIds.map((id, index) => [id, ticks?.[index] ? "accept" : "reject"]));
      }),
      getSetting: call("getSetting", () => ({ authSetting: {}, subscriptionsSetting: { mainSwitch: true, itemSettings: {} } })),
      openSetting: call("openSetting", () => ({ authSetting: {} })),
      authorize: call("authorize", () => undefined),
      getUpdateManager: () => ({ onCheckForUpdate() {}, onUpdateReady() {}, onUpdateFailed() {}, applyUpdate() {} }),
      getLaunchOptionsSync: () => ({ path: "", query: {}, scene: 1001 }),
      getEnterOptionsSync: () => ({ path: "", query: {}, scene: 1001 }),
    };
  }
}

/** Those calls of WeChat's that ask for consent to privacy first. */
const PRIVATE = ["chooseMedia", "chooseMessageFile", "getLocation", "saveImageToPhotosAlbum", "getClipboardData", "setClipboardData"];

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export function guarded(known: Record<string, any>, weixin: WeiXin): void {
  for (const name of PRIVATE) {
    const open = known[name];
    known[name] = call(name, async (options: object) => {
      await weixin.askPrivacy(name);
      const { success: _success, fail: _fail, complete: _complete, ...rest } = options as Record<string, unknown>;
      return open(rest);
    });
  }
}
