// Files to be handed in: picked from camera, album or a chat, sent at once one by one, each with its progress, its refusal and a way on.
// The page is told of each change (`bind:change`, detail `{ files }`) and keeps the files in its draft.
import { upload, type Picked } from "../../api/upload";
import { nonce } from "../../lib/nonce";
import { asProblem } from "../../lib/show";

const MEGA = 2 ** 20;
const WAYS = ["拍照", "从相册选择", "从微信聊天中选择文件"];
const shown = (bytes: number) => (bytes >= MEGA ? `${(bytes / MEGA).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1024))} KB`);

/** A picture has no name in WeChat. */
const named = (path: string, index: number) => `图片${index + 1}${/\.\w{1,5}$/.exec(path)?.[0] ?? ".jpg"}`;

Component({
  properties: {
    files: { type: Array, value: [] as Picked[] },
    most: { type: Number, value: 9 },
    largest: { type: Number, value: 50 * MEGA },
    extensions: { type: Array, value: [] as string[] },
    label: { type: String, value: "附件" },
  },
  data: { rows: [] as { nonce: string; name: string; note: string; failed: boolean; sending: boolean }[] },
  observers: {
    files(files: Picked[]) {
      this.setData({ rows: files.map((one) => ({ nonce: one.nonce, name: one.name, failed: one.state === "failed", sending: one.state === "sending", note: one.state === "failed" ? one.refusal : one.state === "sending" ? `${shown(one.size)}，已上传 ${one.percent}%` : `${shown(one.size)}，已上传` })) });
    },
  },
  methods: {
    async add() {
      const room = this.data.most - this.data.files.length;
      if (room <= 0) return void wx.showToast({ title: `最多 ${this.data.most} 个文件`, icon: "none" });
      try {
        const { tapIndex } = await wx.showActionSheet({ itemList: WAYS });
        const picked = await this.pick(tapIndex, room);
        await this.take(picked);
      } catch (failure) {
        const { errMsg = "" } = failure as { errMsg?: string };
        if (/cancel/.test(errMsg)) return;
        await wx.showModal({ title: "没有取得文件", content: "请在微信的设置中允许使用相机、相册或文件，也可以换一种方式选择。", showCancel: false });
      }
    },
    async pick(way: number, count: number): Promise<{ path: string; name: string; size: number }[]> {
      if (way === 2) {
        const { tempFiles } = await wx.chooseMessageFile({ count, type: "all", ...(this.data.extensions.length ? { extension: this.data.extensions } : {}) });
        return tempFiles;
      }
      const { tempFiles } = await wx.chooseMedia({ count, mediaType: ["image"], sourceType: [way === 0 ? "camera" : "album"] });
      return tempFiles.map((one, index) => ({ path: one.tempFilePath, size: one.size, name: (one as { name?: string }).name ?? named(one.tempFilePath, this.data.files.length + index) }));
    },
    async take(picked: { path: string; name: string; size: number }[]) {
      const files = picked.map((one): Picked => {
        const tooLarge = one.size > this.data.largest;
        return { nonce: nonce(), name: one.name, size: one.size, path: one.path, uploadId: "", percent: 0, state: tooLarge ? "failed" : "sending", refusal: tooLarge ? `文件超过 ${shown(this.data.largest)}，不能上传。请压缩或拆分后重新选择。` : "" };
      });
      this.tell([...this.data.files, ...files]);
      for (const one of files) if (one.state === "sending") await this.send(one);
    },
    async send(file: Picked) {
      const change = (to: Partial<Picked>) => this.tell(this.data.files.map((one: Picked) => (one.nonce === file.nonce ? { ...one, ...to } : one)));
      change({ state: "sending", refusal: "" });
      try {
        const uploadId = await upload(file, (percent) => change({ percent }));
        change({ uploadId, state: "sent", percent: 100 });
      } catch (error) {
        change({ state: "failed", refusal: asProblem(error).words });
      }
    },
    again(event: WechatMiniprogram.TouchEvent) {
      const file = this.data.files.find((one: Picked) => one.nonce === event.currentTarget.dataset["nonce"]);
      if (file) void this.send(file);
    },
    remove(event: WechatMiniprogram.TouchEvent) {
      this.tell(this.data.files.filter((one: Picked) => one.nonce !== event.currentTarget.dataset["nonce"]));
    },
    /** The component's own copy first: parts that arrive meanwhile must not undo one another. */
    tell(files: Picked[]) {
      this.setData({ files });
      this.triggerEvent("change", { files });
    },
  },
});
