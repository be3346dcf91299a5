// What WeChat may tell me, what I consented to, and letting go of this phone.
import { get, post, type Schemas } from "../../api/api";
import { renew } from "../../api/session";
import { nonce } from "../../lib/nonce";
import { LOADING, attempt, say, show } from "../../lib/show";
import { NOT_ASKING, asked, sendWords } from "../../lib/words";

type Offer = Schemas["OfferAnswer"];
const MOST = 3; // of WeChat's, at one tap
const asRow = (one: Offer) => ({ id: one.template_id, title: one.titles.join("、"), left: one.left ? `还能收到 ${one.left} 条` : "没有订阅" });

Page({
  data: { ...LOADING, ...NOT_ASKING, busy: "", offers: [] as ReturnType<typeof asRow>[], consents: [] as Schemas["ConsentItem"][], bound: false },
  onLoad() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const [offers, consents, me] = await Promise.all([get("/message-templates"), get("/consents/current"), get("/me")]);
      return { offers: offers.items.map(asRow), consents: consents.items, bound: me.bound };
    });
  },
  /** WeChat shows its own question; what it says is reported per template, and an accepted one counts one message. */
  subscribe(event: WechatMiniprogram.TouchEvent) {
    const first = this.data.offers.findIndex((one) => one.id === event.currentTarget.dataset["id"]);
    const tmplIds = [...this.data.offers.slice(first), ...this.data.offers.slice(0, first)].slice(0, MOST).map((one) => one.id);
    return attempt(this, "subscribe", async () => {
      const said = (await wx.requestSubscribeMessage({ tmplIds }).catch(() => null)) as Record<string, Schemas["MessagesAnswer"]> | null;
      if (!said) return say("没有打开订阅。请在微信右上角“设置”中允许订阅消息。");
      const answers = Object.fromEntries(tmplIds.filter((id) => said[id]).map((id) => [id, said[id]!]));
      if (!Object.keys(answers).length) return;
      const { items } = await post("/message-grants", { nonce: nonce(), answers });
      this.setData({ offers: items.map(asRow) });
    });
  },
  letGo() {
    this.setData(asked("let-go", "解除本机绑定", "解除后这部手机不能再签到和查看您的培训，已有的记录和证书都保留；换手机后重新绑定即可。请写明原因。", "解除绑定", 2));
  },
  cancel() {
    this.setData(NOT_ASKING);
  },
  async sendLetGo(event: WechatMiniprogram.CustomEvent<{ text: string }>) {
    const done = await sendWords(this, () => post("/real-name/let-go", { reason: event.detail.text }));
    if (!done) return;
    await renew().catch(() => undefined);
    say("已解除绑定");
    void wx.switchTab({ url: "/pages/home/home" });
  },
});
