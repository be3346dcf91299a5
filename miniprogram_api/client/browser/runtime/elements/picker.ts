// picker: the browser's own list or calendar, laid over what the page shows.
import { setAttribute, type Definition, type Made } from "./define";

const TYPES: Record<string, string> = { date: "date", time: "time" };
type Control = HTMLSelectElement | HTMLInputElement;
const control = (made: Made): Control => made.element.querySelector<Control>(".wx-picker-control")!;

function words(made: Made, item: unknown): string {
  return item !== null && typeof item === "object" ? String((item as Record<string, unknown>)[made.data.rangeKey] ?? "") : String(item);
}

function fill(made: Made): void {
  const one = control(made);
  if (!(one instanceof HTMLSelectElement)) return;
  one.replaceChildren(new Option("请选择", "-1", true), ...(made.data.range ?? []).map((item: unknown, index: number) => new Option(words(made, item), String(index))));
  choose(made);
}

function choose(made: Made): void {
  const one = control(made);
  const value = made.data.value;
  one.value = one instanceof HTMLSelectElement ? String(value === "" || value === null || value === undefined ? -1 : value) : String(value ?? "");
}

export const picker: Definition = {
  properties: { mode: { type: String, value: "selector" }, range: { type: Array, value: [] }, rangeKey: String, value: null, start: String, end: String, disabled: Boolean, name: String, fields: String, headerText: String },
  attached(made) {
    const type = TYPES[made.data.mode];
    const one = document.createElement(type ? "input" : "select");
    if (type) (one as HTMLInputElement).type = type;
    one.className = "wx-picker-control";
    made.element.appendChild(one);
    one.addEventListener("change", (event) => {
      event.stopPropagation();
      if (one.value === "-1" || one.value === "") made.fire("cancel");
      else made.fire("change", { value: type ? one.value : Number(one.value) });
    });
  },
  changed: {
    range: fill,
    rangeKey: fill,
    value: choose,
    start(made, value) { setAttribute(control(made), "min", value); },
    end(made, value) { setAttribute(control(made), "max", value); },
    disabled(made, value) { control(made).disabled = Boolean(value); },
    headerText(made, value) { if (!made.data.ariaLabel) setAttribute(control(made), "aria-label", value || "选择"); },
    ariaLabel(made, value) { if (value) setAttribute(control(made), "aria-label", value); },
  },
};
