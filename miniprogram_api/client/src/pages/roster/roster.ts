// Who attends a class that I teach, and whose phone I confirm after I have seen the identity card.
import { get, post, type Schemas } from "../../api/api";
import { LOADING, say, show } from "../../lib/show";
import { NOT_ASKING, asked, sendWords } from "../../lib/words";

type Trainee = Schemas["TraineeAnswer"];

function asRow(one: Trainee) {
  const [mark, tone] = one.confirmed ? ["已确认", ""] : one.bound ? ["待核对身份证", "mark-warn"] : ["未绑定", "mark-soft"];
  return { id: one.person_id, name: one.name, number: one.id_number_masked, unit: one.work_unit, mark, tone, waits: one.bound && !one.confirmed };
}

Page({
  data: { ...LOADING, ...NOT_ASKING, busy: "", rows: [] as ReturnType<typeof asRow>[] },
  id: "",
  person: "",
  onLoad(query: Record<string, string | undefined>) {
    this.id = query["class"] ?? "";
  },
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const one = await get("/teaching/classes/{class_id}", { class_id: this.id });
      return one.trainees.length ? { rows: one.trainees.map(asRow) } : null;
    });
  },
  choose(event: WechatMiniprogram.TouchEvent) {
    const { id } = event.currentTarget.dataset as { id: string };
    const row = this.data.rows.find((one) => one.id === id);
    if (!row?.waits) return;
    this.person = id;
    this.setData(asked(`digits:${this.id}:${id}`, `${row.name}的核对码`, "请先核对身份证原件，再填写对方手机“我的”中显示的六位数字。", "确认是本人", 6));
  },
  cancel() {
    this.setData(NOT_ASKING);
  },
  async confirm(event: WechatMiniprogram.CustomEvent<{ text: string }>) {
    const done = await sendWords(this, () => post("/teaching/classes/{class_id}/trainees/{person_id}/phone", { phone_digits: event.detail.text }, { class_id: this.id, person_id: this.person }));
    if (!done) return;
    say("已确认");
    await this.load();
  },
});
