// The tags that WeChat itself draws. In a browser each becomes a custom element, so that none means to it what it means in HTML.
export const BUILT_IN = new Set([
  "view", "text", "button", "input", "textarea", "image", "scroll-view", "label", "form", "navigator", "switch", "checkbox",
  "checkbox-group", "radio", "radio-group", "picker", "swiper", "swiper-item", "icon", "progress", "rich-text", "canvas", "cover-view",
  "page-meta", "navigation-bar", "root-portal",
]);

export const inBrowser = (tag) => (BUILT_IN.has(tag) ? `wx-${tag}` : tag);
