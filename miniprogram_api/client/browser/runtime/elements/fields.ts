// input and textarea: a field of the browser inside.
import { setAttribute, type Definition, type Made } from "./define";

type Field = HTMLInputElement | HTMLTextAreaElement;
const NO_LIMIT = -1;
const inside = (made: Made): Field => made.element.querySelector<Field>("input, textarea")!;
const KEYBOARDS: Record<string, string> = { number: "numeric", digit: "decimal", idcard: "text", text: "text" };

function field(tag: "input" | "textarea"): Definition {
  return {
    properties: {
      value: { type: String, value: "" }, type: { type: String, value: "text" }, password: Boolean, placeholder: String, placeholderClass: String, placeholderStyle: String,
      disabled: Boolean, maxlength: { type: Number, value: 140 }, focus: Boolean, autoFocus: Boolean, name: String, confirmType: String, confirmHold: Boolean,
      adjustPosition: Boolean, cursorSpacing: Number, autoHeight: Boolean, cursor: Number, selectionStart: Number, selectionEnd: Number, fixed: Boolean,
      showConfirmBar: Boolean, holdKeyboard: Boolean, alwaysEmbed: Boolean, disableDefaultPadding: Boolean, cursorColor: String,
    },
    attached(made) {
      const made_field = document.createElement(tag);
      made.element.appendChild(made_field);
      listen(made, made_field);
    },
    changed: {
      value(made, value) { const one = inside(made); if (one.value !== (value ?? "")) one.value = value ?? ""; grow(made); },
      placeholder(made, value) { inside(made).placeholder = value ?? ""; },
      disabled(made, value) { inside(made).disabled = Boolean(value); },
      maxlength(made, value) { if (value > 0 && value !== NO_LIMIT) inside(made).maxLength = value; else inside(made).removeAttribute("maxlength"); },
      name(made, value) { setAttribute(made.element, "name", value); },
      password(made, value) { if (value) (inside(made) as HTMLInputElement).type = "password"; },
      type(made, value) { inside(made).inputMode = KEYBOARDS[value] ?? "text"; },
      focus(made, value) { if (value) inside(made).focus(); },
      ariaLabel(made, value) { setAttribute(inside(made), "aria-label", value); },
    },
  };
}

function listen(made: Made, one: Field): void {
  const value = () => ({ value: one.value, cursor: one.selectionStart ?? one.value.length });
  one.autocomplete = "off";
  one.addEventListener("input", (event) => { event.stopPropagation(); grow(made); made.fire("input", value()); });
  one.addEventListener("change", (event) => { event.stopPropagation(); made.fire("change", value()); });
  one.addEventListener("focus", () => made.fire("focus", { ...value(), height: 0 }));
  one.addEventListener("blur", () => made.fire("blur", value()));
  one.addEventListener("keydown", (event) => { if ((event as KeyboardEvent).key === "Enter" && one.tagName === "INPUT") made.fire("confirm", value()); });
}

function grow(made: Made): void {
  const one = inside(made);
  if (one.tagName !== "TEXTAREA" || !made.data.autoHeight) return;
  one.style.height = "auto";
  one.style.height = `${one.scrollHeight}px`;
}

export const input = field("input");
export const textarea = field("textarea");
