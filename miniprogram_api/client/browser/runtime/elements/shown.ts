// What only shows: pictures, rich text, progress; and what scrolls.
import { setAttribute, type Definition, type Made } from "./define";

const picture = (made: Made): HTMLImageElement => made.element.querySelector("img")!;

export const image: Definition = {
  properties: { src: String, mode: { type: String, value: "scaleToFill" }, lazyLoad: Boolean, webp: Boolean, showMenuByLongpress: Boolean, fadeIn: Boolean },
  attached(made) {
    const one = document.createElement("img");
    one.alt = "";
    one.addEventListener("load", () => made.fire("load", { width: one.naturalWidth, height: one.naturalHeight }));
    one.addEventListener("error", () => made.fire("error", { errMsg: "image:fail" }));
    made.element.appendChild(one);
  },
  changed: {
    src(made, value) { if (value) picture(made).src = value; else picture(made).removeAttribute("src"); },
    mode(made, value) { setAttribute(made.element, "mode", value); },
    ariaLabel(made, value) { picture(made).alt = value ?? ""; },
  },
};

export const progress: Definition = {
  properties: { percent: Number, showInfo: Boolean, strokeWidth: Number, color: String, activeColor: String, backgroundColor: String, active: Boolean },
  attached(made) { made.element.appendChild(document.createElement("i")); setAttribute(made.element, "role", "progressbar"); },
  changed: { percent(made, value) { made.element.querySelector("i")!.style.width = `${value ?? 0}%`; setAttribute(made.element, "aria-valuenow", value); } },
};

/** Words only: nothing that came from a server becomes markup here. */
export const richText: Definition = {
  properties: { nodes: null, space: String },
  changed: { nodes(made, value) { made.element.textContent = typeof value === "string" ? value.replace(/<[^>]*>/g, "") : ""; } },
};

export const text: Definition = { properties: { selectable: Boolean, userSelect: Boolean, space: String, decode: Boolean } };

const NEAR_THE_END = 50;

export const scrollView: Definition = {
  properties: {
    scrollX: Boolean, scrollY: Boolean, scrollTop: null, scrollLeft: null, scrollIntoView: String, scrollWithAnimation: Boolean, lowerThreshold: { type: Number, value: NEAR_THE_END }, upperThreshold: Number,
    enhanced: Boolean, showScrollbar: Boolean, refresherEnabled: Boolean, refresherTriggered: Boolean, enableFlex: Boolean, bounces: Boolean, type: String,
  },
  attached(made) {
    const one = made.element;
    let atEnd = false;
    one.addEventListener("scroll", () => {
      made.fire("scroll", { scrollTop: one.scrollTop, scrollLeft: one.scrollLeft, scrollHeight: one.scrollHeight, scrollWidth: one.scrollWidth });
      const near = one.scrollHeight - one.scrollTop - one.clientHeight < made.data.lowerThreshold;
      if (near && !atEnd) made.fire("scrolltolower", { direction: "bottom" });
      atEnd = near;
    });
  },
  changed: {
    scrollX(made, value) { setAttribute(made.element, "scroll-x", value); if (value) made.element.tabIndex = 0; },
    scrollY(made, value) { setAttribute(made.element, "scroll-y", value); if (value) made.element.tabIndex = 0; },
    scrollTop(made, value) { if (value !== null && value !== undefined && value !== "") made.element.scrollTop = Number(value); },
    scrollLeft(made, value) { if (value !== null && value !== undefined && value !== "") made.element.scrollLeft = Number(value); },
    scrollIntoView(made, value) { if (value) made.element.querySelector(`#${CSS.escape(value)}`)?.scrollIntoView({ block: "nearest" }); },
  },
};

export const swiper: Definition = {
  properties: { current: { type: Number, value: 0 }, indicatorDots: Boolean, autoplay: Boolean, interval: Number, duration: Number, circular: Boolean, vertical: Boolean, displayMultipleItems: Number, nextMargin: String, previousMargin: String, easingFunction: String },
  attached(made) {
    let shown = made.data.current;
    made.element.tabIndex = 0;
    made.element.addEventListener("scrollend", () => {
      const now = Math.round(made.element.scrollLeft / Math.max(1, made.element.clientWidth));
      if (now !== shown) made.fire("change", { current: now, source: "touch" });
      shown = now;
    });
  },
  changed: { current(made, value) { made.element.scrollTo?.({ left: value * made.element.clientWidth, behavior: "instant" }); } },
};
