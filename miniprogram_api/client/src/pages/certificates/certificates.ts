// My certificates, newest first.
import { get } from "../../api/api";
import { moment } from "../../lib/moments";
import { LOADING, show } from "../../lib/show";

interface Row { id: string; name: string; when: string }

Page({
  data: { ...LOADING, items: [] as Row[] },
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const { items } = await get("/certificates", {}, { limit: 50 });
      return items.length ? { items: items.map((one) => ({ id: one.id, name: one.class_name, when: moment(one.issued_at) })) } : null;
    });
  },
  open(event: WechatMiniprogram.TouchEvent) {
    void wx.navigateTo({ url: `/pages/certificate/certificate?id=${event.currentTarget.dataset["id"]}` });
  },
});
