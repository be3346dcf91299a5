// button, navigator, form and its choices.
import { setAttribute, type Definition, type Made } from "./define";

export interface Doors {
  /** What an `open-type` opens: the event that it fires, and what with. */
  opened(openType: string): Promise<[string, unknown] | null>;
  navigate(openType: string, url: string): void;
}

export function button(doors: Doors): Definition {
  return {
    properties: {
      type: String, size: String, plain: Boolean, disabled: Boolean, loading: Boolean, formType: String, openType: String, lang: null, sessionFrom: null,
      sendMessageTitle: null, sendMessagePath: null, sendMessageImg: null, showMessageCard: null, appParameter: null, phoneNumberNoQuotaToast: null, needShowEntrance: null, entrancePath: null, activityType: null, id: null,
    },
    attached(made) {
      if (!made.element.hasAttribute("role")) made.element.setAttribute("role", "button");
      made.element.tabIndex = 0;
      const act = () => void press(made, doors);
      made.element.addEventListener("click", act);
      made.element.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") act(); });
    },
    changed: {
      type(made, value) { setAttribute(made.element, "type", value); },
      size(made, value) { setAttribute(made.element, "size", value); },
      plain(made, value) { setAttribute(made.element, "plain", value); },
      loading(made, value) { setAttribute(made.element, "loading", value); },
      disabled(made, value) { setAttribute(made.element, "disabled", value); setAttribute(made.element, "aria-disabled", value ? "true" : null); },
    },
  };
}

async function press(made: Made, doors: Doors): Promise<void> {
  if (made.data.disabled || made.data.loading) return;
  if (made.data.formType === "submit") made.element.closest("wx-form")?.dispatchEvent(new CustomEvent("wx-submit"));
  if (!made.data.openType) return;
  const opened = await doors.opened(made.data.openType);
  if (opened) made.fire(opened[0], opened[1]);
}

export function navigator(doors: Doors): Definition {
  return {
    properties: { url: String, openType: { type: String, value: "navigate" }, delta: Number },
    attached(made) {
      setAttribute(made.element, "role", "link");
      made.element.tabIndex = 0;
      made.element.addEventListener("click", () => doors.navigate(made.data.openType, made.data.url));
    },
  };
}

type Named = HTMLElement & { wxValue?: () => unknown };

export const form: Definition = {
  properties: { reportSubmit: Boolean },
  attached(made) {
    made.element.addEventListener("wx-submit", () => {
      const fields = [...made.element.querySelectorAll<Named>("[name]")];
      const value = (one: Named) => one.wxValue?.() ?? one.querySelector<HTMLInputElement>("input, textarea")?.value ?? "";
      made.fire("submit", { value: Object.fromEntries(fields.map((one) => [one.getAttribute("name"), value(one)])) });
    });
  },
};

const ticked = (made: Made): HTMLInputElement => made.element.querySelector("input")!;

/** checkbox, radio, switch: an input of the browser, and the group around it told. */
function choice(kind: "checkbox" | "radio", own: boolean): Definition {
  return {
    properties: { value: String, checked: Boolean, disabled: Boolean, color: String, name: String, type: String },
    attached(made) {
      const one = document.createElement("input");
      one.type = kind;
      if (own) one.setAttribute("role", "switch");
      made.element.prepend(one);
      (made.element as Named).wxValue = () => one.checked;
      one.addEventListener("change", (event) => {
        event.stopPropagation();
        if (own) made.fire("change", { value: one.checked });
        else made.element.closest("wx-checkbox-group, wx-radio-group")?.dispatchEvent(new CustomEvent("wx-ticked", { detail: one }));
      });
    },
    changed: {
      checked(made, value) { ticked(made).checked = Boolean(value); },
      disabled(made, value) { ticked(made).disabled = Boolean(value); },
      value(made, value) { ticked(made).value = value ?? ""; },
      name(made, value) { if (own) setAttribute(made.element, "name", value); },
      ariaLabel(made, value) { setAttribute(ticked(made), "aria-label", value); },
    },
  };
}

/** The words beside a choice tick it too. */
export const label: Definition = {
  properties: { for: String },
  attached(made) {
    made.element.addEventListener("click", (event) => {
      const one = made.element.querySelector<HTMLInputElement>("input");
      if (one && event.target !== one) one.click();
    });
  },
};

export const checkbox = choice("checkbox", false);
export const radio = choice("radio", false);
export const switchElement = choice("checkbox", true);

function group(single: boolean): Definition {
  return {
    properties: { name: String },
    attached(made) {
      setAttribute(made.element, "role", single ? "radiogroup" : "group");
      const inputs = () => [...made.element.querySelectorAll<HTMLInputElement>("input")];
      const value = () => { const found = inputs().filter((one) => one.checked).map((one) => one.value); return single ? (found[0] ?? "") : found; };
      (made.element as Named).wxValue = value;
      made.element.addEventListener("wx-ticked", (event) => {
        const one = (event as CustomEvent<HTMLInputElement>).detail;
        if (single) for (const other of inputs()) if (other !== one) other.checked = false;
        made.fire("change", { value: value() });
      });
    },
    changed: { name(made, value) { setAttribute(made.element, "name", value); } },
  };
}

export const checkboxGroup = group(false);
export const radioGroup = group(true);
