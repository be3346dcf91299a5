// WXSS into CSS: `rpx` by a variable, tags by their names here, and a prefix before the classes of an isolated component.
import path from "node:path";
import postcss from "postcss";
import selectorParser from "postcss-selector-parser";
import { read } from "../../build/files.mjs";
import { inBrowser } from "./names.mjs";

export const rpx = (value) => value.replace(/(-?[\d.]+)rpx/g, (_, amount) => `calc(${amount} * var(--rpx))`);

function renameSelector(selector, scope) {
  const rename = (node) => {
    if (node.type === "tag") node.value = node.value === "page" ? "wx-page" : inBrowser(node.value);
    else if (node.type === "class" && scope) node.value = `${scope}--${node.value}`;
    else if (node.type === "pseudo" && node.value === ":host") node.replaceWith(selectorParser.attribute({ attribute: "wx-host", operator: "=", value: scope, quoteMark: '"', raws: {} }));
  };
  return selectorParser((root) => root.walk(rename)).processSync(selector);
}

export function transformStyle(text, scope) {
  const root = postcss.parse(text);
  root.walkDecls((declaration) => {
    declaration.value = rpx(declaration.value);
  });
  root.walkRules((rule) => {
    if (/keyframes/.test(rule.parent.name ?? "")) return;
    rule.selector = renameSelector(rule.selector, scope);
  });
  return root;
}

/** A file's rules with those it imports before them, each file once. */
function styleOf({ folder, files }, file, scope, seen = new Set()) {
  if (seen.has(file) || !files.has(file)) return "";
  seen.add(file);
  const root = transformStyle(read(folder, file), scope);
  let before = "";
  root.walkAtRules("import", (rule) => {
    const to = /['"]([^'"]+)['"]/.exec(rule.params)?.[1];
    const place = to?.startsWith("/") ? to.slice(1) : path.posix.join(path.posix.dirname(file), to ?? "");
    before += styleOf({ folder, files }, place, scope, seen);
    rule.remove();
  });
  return before + root.toString();
}

const isIsolated = (config, isPage) => {
  const isolation = config.styleIsolation ?? (config.component && !isPage ? "isolated" : "shared");
  return isolation === "isolated" || /apply-shared$/.test(isolation);
};

/** Component → its CSS, and → the prefix of its classes where it has one. The rules of all pages are `app`. */
export function transformStyles(packed) {
  const styles = { app: styleOf(packed, "app.wxss") };
  const scopes = {};
  Object.entries(packed.configs).forEach(([component, config], index) => {
    if (isIsolated(config, packed.app.pages.includes(component))) scopes[component] = `s${index.toString(36)}`;
    styles[component] = styleOf(packed, `${component}.wxss`, scopes[component]);
  });
  return { styles, scopes };
}
