// One part of a scheme, written: text, or rows of which one is open. The draft holds this part only, so that it can be laid over a version
// that a colleague has saved meanwhile; saving sends the whole scheme as it was read, with this part changed.
import { get, put } from "../../api/api";
import { draftOf, dropDraft, keepDraft } from "../../lib/drafts";
import { TITLES, contentOf, fieldsOf, isText, rowWords, rowsOf, withPart, type Field, type Part, type Row, type Scheme } from "../../lib/scheme";
import { leave } from "../../lib/leaving";
import { LOADING, asProblem, say, show } from "../../lib/show";

interface Draft {
  version: number;
  text: string;
  rows: Row[];
}

Page({
  data: { ...LOADING, busy: "", part: "" as Part, title: "", isText: false, text: "", fields: [] as Field[], rows: [] as Row[], words: [] as string[], chosen: [] as Record<string, number>[], open: -1, newer: "", problem: "" },
  id: "",
  scheme: null as Scheme | null,
  onLoad(query: Record<string, string | undefined>) {
    this.id = query["class"] ?? "";
    const part = (query["part"] ?? "objectives") as Part;
    this.setData({ part, title: TITLES[part], isText: isText(part) });
    void wx.setNavigationBarTitle({ title: TITLES[part] });
    return this.load();
  },
  draftKey() {
    return `scheme:${this.id}:${this.data.part}`;
  },
  load() {
    return show(this, async () => {
      const { part } = this.data;
      const scheme = await get("/teaching/classes/{class_id}/scheme", { class_id: this.id });
      this.scheme = scheme;
      const draft = draftOf<Draft>(this.draftKey());
      const text = draft?.text ?? (isText(part) ? scheme[part] : "");
      const rows = draft?.rows ?? rowsOf(part, scheme);
      const newer = draft && draft.version !== scheme.version ? `方案已有第 ${scheme.version} 版。您在第 ${draft.version} 版上写的还在，请核对后再保存；不要了可以放弃修改。` : "";
      return { text, newer, fields: fieldsOf(part, scheme), ...this.drawn(rows) };
    });
  },
  drawn(rows: Row[]) {
    const fields = this.scheme ? fieldsOf(this.data.part, this.scheme) : [];
    const chosen = rows.map((row) => Object.fromEntries(fields.filter((one) => one.choices).map((one) => [one.name, Math.max(0, one.choices!.findIndex((choice) => choice.value === row[one.name]))])));
    return { rows, chosen, words: rows.map((row) => rowWords(this.data.part, row)) };
  },
  keep() {
    const kept = keepDraft<Draft>(this.draftKey(), { version: this.scheme?.version ?? 0, text: this.data.text, rows: this.data.rows });
    this.setData({ problem: kept ? "" : "手机存储空间不足，写的内容没有保存在手机上，请尽快保存到平台。" });
  },
  typeText(event: WechatMiniprogram.Input) {
    this.setData({ text: event.detail.value });
    this.keep();
  },
  type(event: WechatMiniprogram.Input) {
    const { row, name } = event.currentTarget.dataset as { row: number; name: string };
    this.setRow(row, name, event.detail.value);
  },
  choose(event: WechatMiniprogram.CustomEvent<{ value: number }>) {
    const { row, name } = event.currentTarget.dataset as { row: number; name: string };
    const field = this.data.fields.find((one) => one.name === name)!;
    this.setRow(row, name, field.choices![Number(event.detail.value)]!.value);
  },
  setRow(row: number, name: string, value: string) {
    const rows = this.data.rows.map((one: Row, index: number) => (index === Number(row) ? { ...one, [name]: value } : one));
    this.setData(this.drawn(rows));
    this.keep();
  },
  toggle(event: WechatMiniprogram.TouchEvent) {
    const row = Number(event.currentTarget.dataset["row"]);
    this.setData({ open: this.data.open === row ? -1 : row });
  },
  add() {
    const last = this.data.rows[this.data.rows.length - 1];
    const empty = Object.fromEntries(this.data.fields.map((one: Field) => [one.name, one.choices?.[0]?.value ?? ""]));
    const rows = [...this.data.rows, last ? { ...last, title: "" } : empty];
    this.setData({ ...this.drawn(rows), open: rows.length - 1 });
    this.keep();
  },
  async remove(event: WechatMiniprogram.TouchEvent) {
    const row = Number(event.currentTarget.dataset["row"]);
    const { confirm } = await wx.showModal({ title: "删去这一条", content: this.data.rows[row]?.["title"] || "还没有名称的一条", confirmText: "删去" });
    if (!confirm) return;
    this.setData({ ...this.drawn(this.data.rows.filter((_: Row, index: number) => index !== row)), open: -1 });
    this.keep();
  },
  async discard() {
    const { confirm } = await wx.showModal({ title: "放弃修改", content: "手机上写的这一部分会清除，恢复成平台上的内容。", confirmText: "放弃" });
    if (!confirm) return;
    dropDraft(this.draftKey());
    await this.load();
  },
  async save() {
    if (this.data.busy || !this.scheme) return;
    const { part, text, rows } = this.data;
    this.setData({ busy: "save", problem: "" });
    try {
      const content = withPart(contentOf(this.scheme), part, text, rows);
      await put("/teaching/classes/{class_id}/scheme", { ...content, based_on: this.scheme.version }, { class_id: this.id });
      dropDraft(this.draftKey());
      say("已保存为新的一版");
      leave(`/pages/scheme/scheme?class=${this.id}`);
    } catch (error) {
      await this.refused(error);
    } finally {
      this.setData({ busy: "" });
    }
  },
  async refused(error: unknown) {
    const problem = asProblem(error);
    if (problem.type === "scheme-version-outdated") {
      this.keep();
      await this.load();
    }
    this.setData({ problem: problem.words });
  },
});
