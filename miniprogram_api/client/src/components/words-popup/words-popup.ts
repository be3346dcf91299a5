// Asks for the words that an act needs: a reason, a remark. Open while `name` says what for; what is typed is kept on the phone under that
// name until the page has sent it (lib/words). The same words go with the same nonce, others with another.
import { draftOf, keepDraft } from "../../lib/drafts";
import { nonce } from "../../lib/nonce";

export interface Words {
  text: string;
  nonce: string;
}

Component({
  properties: {
    name: { type: String, value: "" },
    title: { type: String, value: "" },
    hint: { type: String, value: "" },
    action: { type: String, value: "提交" },
    least: { type: Number, value: 4 },
    most: { type: Number, value: 500 },
    problem: { type: String, value: "" },
    busy: { type: Boolean, value: false },
  },
  data: { text: "", short: "" },
  observers: {
    name(name: string) {
      if (name) this.setData({ text: draftOf<Words>(name)?.text ?? "", short: "" });
    },
  },
  methods: {
    type(event: WechatMiniprogram.Input) {
      const text = event.detail.value;
      this.setData({ text, short: "" });
      keepDraft<Words>(this.data.name, { text, nonce: nonce() });
    },
    send() {
      const draft = draftOf<Words>(this.data.name);
      const text = draft?.text.trim() ?? "";
      if (!draft || text.length < this.data.least) this.setData({ short: `请写明，至少 ${this.data.least} 个字。` });
      else this.triggerEvent("send", { text, nonce: draft.nonce });
    },
    close() {
      this.triggerEvent("close");
    },
  },
});
