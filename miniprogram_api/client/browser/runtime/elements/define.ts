// How a built-in component of WeChat is made: a custom element `wx-…` that any template may use.
/* eslint-disable @typescript-eslint/no-explicit-any */
import { glassEasel } from "glass-easel-miniprogram-adapter";

export interface Made {
  /** The component's own data: its properties. */
  data: any;
  /** The DOM element. */
  element: HTMLElement;
  fire(type: string, detail?: unknown, bubbles?: boolean): void;
}

export interface Definition {
  properties?: Record<string, unknown>;
  /** When it enters the page. */
  attached?(made: Made): void;
  detached?(made: Made): void;
  /** Called after a property has changed, and once for each when it enters the page. */
  changed?: Record<string, (made: Made, value: any) => void>;
}

/** Those of every element: read aloud, and never wrong to give. */
const ARIA = ["ariaLabel", "ariaRole", "ariaHidden", "ariaChecked", "ariaDisabled", "ariaSelected", "ariaExpanded", "ariaLive", "ariaModal", "ariaValuenow", "ariaValuemin", "ariaValuemax", "ariaLabelledby", "ariaDescribedby", "ariaValuetext", "ariaCurrent"];
const UNUSED = ["hoverClass", "hoverStopPropagation", "hoverStartTime", "hoverStayTime", "catchMove", "animation", "disableScroll", "ariaControls", "ariaRoledescription", "tabindex"];
const TAPPABLE = new Set(["button", "link", "checkbox", "radio", "switch", "tab", "option", "menuitem"]);

export function setAttribute(element: HTMLElement, name: string, value: unknown): void {
  if (value === undefined || value === null || value === "" || (value === false && !name.startsWith("aria-"))) element.removeAttribute(name);
  else element.setAttribute(name, value === true && !name.startsWith("aria-") ? "" : String(value));
}

function setAria(element: HTMLElement, property: string, value: unknown): void {
  if (property !== "ariaRole") {
    setAttribute(element, property.replace(/^aria(.)/, (_, first: string) => `aria-${first.toLowerCase()}`).toLowerCase(), value);
    return;
  }
  setAttribute(element, "role", value);
  if (TAPPABLE.has(String(value))) element.tabIndex = 0;
}

export function defineElement(everywhere: any, space: any, name: string, definition: Definition = {}): void {
  const host = `wx-${name}`;
  const changed: Record<string, (made: Made, value: any) => void> = { ...definition.changed };
  for (const property of ARIA) changed[property] ??= (made, value) => value !== null && setAria(made.element, property, value);
  const properties: Record<string, unknown> = { ...Object.fromEntries([...ARIA, ...UNUSED].map((property) => [property, null])), ...definition.properties };

  const made = (component: any): Made => (component.made ??= {
    data: component.data,
    element: component.getBackendElement?.() ?? component.$$,
    fire: (type: string, detail: unknown = {}, bubbles = false) => glassEasel.triggerEvent(component, type, detail as any, { bubbles, composed: false }),
  });
  const current = (component: any): Made => Object.assign(made(component), { data: component.data });

  let built = everywhere.define(`wx/${name}`).options({ hostNodeTagName: host });
  for (const [property, kind] of Object.entries(properties)) {
    const declared = kind !== null && typeof kind === "object" && "type" in kind ? kind : { type: kind };
    const observer = changed[property];
    built = built.property(property, observer
      ? { ...declared, observer(this: any, value: unknown) { if (this.isIn) observer(current(this), value); } }
      : declared);
  }
  built = built.lifetime("attached", function (this: any) {
    this.isIn = true;
    const one = current(this);
    definition.attached?.(one);
    for (const [property, observer] of Object.entries(changed)) if (property in properties) observer(one, this.data[property]);
  });
  if (definition.detached) built = built.lifetime("detached", function (this: any) { definition.detached!(current(this)); });
  space.setGlobalUsingComponent(host, built.registerComponent());
}
