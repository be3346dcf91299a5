// The four states of a page: skeleton, content, nothing, failure; and above them whether the network is there.
import { online } from "../../lib/online";

const USUAL_SIZE = 17;

Component({
  properties: {
    state: { type: String, value: "loading" },
    failure: { type: Object, value: null as unknown as { title: string; detail: string } },
    empty: { type: String, value: "这里还没有内容。" },
    emptyNote: { type: String, value: "" },
    emptyIcon: { type: String, value: "" },
  },
  data: { offline: false, style: "" },
  lifetimes: {
    attached() {
      this.stop = online.watch((connected) => this.setData({ offline: !connected }));
      const size = wx.getAppBaseInfo().fontSizeSetting ?? USUAL_SIZE;
      if (size > USUAL_SIZE) this.setData({ style: `--scale: ${Math.min(1.6, size / USUAL_SIZE).toFixed(2)}` });
    },
    detached() {
      this.stop();
    },
  },
  methods: {
    stop() {},
    retry() {
      this.triggerEvent("retry");
    },
  },
});
