// One certificate: its picture, as a file, and the address by which anybody may check it without my number.
import { download, get } from "../../api/api";
import { LOADING, attempt, show } from "../../lib/show";

Page({
  data: { ...LOADING, busy: "", name: "", picture: "", verifyUrl: "", facts: [] as { name: string; value: string }[] },
  id: "",
  onLoad(query: Record<string, string | undefined>) {
    this.id = query["id"] ?? "";
    return this.load();
  },
  load() {
    return show(this, async () => {
      const places = { certificate_id: this.id };
      const [one, picture] = await Promise.all([get("/certificates/{certificate_id}", places), download("/certificates/{certificate_id}/png", places).catch(() => "")]);
      return { name: one.class_name, verifyUrl: one.verify_url, picture, facts: [{ name: "培训班", value: one.class_name }] };
    });
  },
  look() {
    if (this.data.picture) void wx.previewImage({ urls: [this.data.picture] });
  },
  save() {
    return attempt(this, "save", async () => {
      await wx.saveImageToPhotosAlbum({ filePath: this.data.picture });
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
});
