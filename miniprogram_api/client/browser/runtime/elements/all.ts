// Every built-in component, in one place.
/* eslint-disable @typescript-eslint/no-explicit-any */
import { button, checkbox, checkboxGroup, form, label, navigator, radio, radioGroup, switchElement, type Doors } from "./buttons";
import { defineElement, type Definition } from "./define";
import { input, textarea } from "./fields";
import { picker } from "./picker";
import { image, progress, richText, scrollView, swiper, text } from "./shown";

const PLAIN = ["view", "swiper-item", "cover-view", "icon", "canvas", "root-portal", "page-meta", "navigation-bar"];

export function defineElements(everywhere: any, space: any, doors: Doors): void {
  const elements: Record<string, Definition> = {
    ...Object.fromEntries(PLAIN.map((name) => [name, {}])),
    text, button: button(doors), navigator: navigator(doors), form, input, textarea, picker, image, progress, swiper, checkbox, radio, label,
    icon: { properties: { type: String, size: null, color: String } },
    canvas: { properties: { type: String, canvasId: String, disableScroll: Boolean } },
    "switch": switchElement, "checkbox-group": checkboxGroup, "radio-group": radioGroup, "scroll-view": scrollView, "rich-text": richText,
  };
  for (const [name, definition] of Object.entries(elements)) defineElement(everywhere, space, name, definition);
}
