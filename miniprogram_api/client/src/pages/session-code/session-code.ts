// A teacher's phone as the classroom's screen: the code of this moment, drawn anew when the server says so, and who is in.
import { get, type Schemas } from "../../api/api";
import { clock } from "../../lib/moments";
import { qrPicture } from "../../lib/qr";
import { LOADING, asProblem, show } from "../../lib/show";

type Roll = Schemas["AttendanceAnswer"];
const ROLL_EVERY_MS = 4000;
const SOON_MS = 400;

const asRow = (one: Roll["items"][number]) => ({ id: one.person_id, name: one.name, unit: one.work_unit, status: one.status ?? "missing", at: one.checked_in_at ? clock(one.checked_in_at) : "" });

Page({
  data: { ...LOADING, full: false, title: "", place: "", picture: "", code: "", closed: "", present: 0, late: 0, missing: 0, rows: [] as ReturnType<typeof asRow>[] },
  id: "",
  shown: false,
  codeTimer: 0,
  rollTimer: 0,
  onLoad(query: Record<string, string | undefined>) {
    this.id = query["id"] ?? "";
  },
  async onShow() {
    this.shown = true;
    void wx.setKeepScreenOn({ keepScreenOn: true });
    await this.load();
    await this.draw();
    this.follow();
  },
  onHide() {
    this.stop();
  },
  onUnload() {
    this.stop();
  },
  stop() {
    this.shown = false;
    clearTimeout(this.codeTimer);
    clearTimeout(this.rollTimer);
    void wx.setKeepScreenOn({ keepScreenOn: false });
  },
  load() {
    return show(this, async () => {
      const roll = await get("/teaching/sessions/{session_id}/attendance", { session_id: this.id });
      return { title: roll.session.title, place: roll.session.place, present: roll.present, late: roll.late, missing: roll.missing, rows: roll.items.map(asRow) };
    });
  },
  follow() {
    if (!this.shown) return;
    this.rollTimer = setTimeout(() => void this.load().then(() => this.follow()), ROLL_EVERY_MS);
  },
  /** By the server's own count of seconds, never by the phone's clock. */
  async draw() {
    if (!this.shown) return;
    let wait = ROLL_EVERY_MS;
    try {
      const { code, next_in } = await get("/teaching/sessions/{session_id}/code", { session_id: this.id });
      this.setData({ code, picture: qrPicture(code), closed: "" });
      wait = Math.max(SOON_MS, next_in * 1000);
    } catch (error) {
      const problem = asProblem(error);
      this.setData({ code: "", picture: "", closed: problem.words });
    }
    if (this.shown) this.codeTimer = setTimeout(() => void this.draw(), wait);
  },
  /** As large as the screen, and without the names of those who are missing: whoever stands around sees it. */
  whole() {
    this.setData({ full: !this.data.full });
  },
  roll() {
    void wx.navigateTo({ url: `/pages/roll/roll?id=${this.id}` });
  },
  copy() {
    void wx.setClipboardData({ data: this.data.code });
  },
});
