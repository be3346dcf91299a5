// The icons: TDesign draws them with a font of a third party. We draw the few that are used with masks, from `tdesign-icons-svg`.
import fs from "node:fs";
import path from "node:path";
import { CLIENT, SOURCE, filesOf, read } from "./files.mjs";

const DRAWINGS = path.join(CLIENT, "node_modules/tdesign-icons-svg/src");

/** Those that TDesign's own components ask for by themselves; the rest is found in our pages. */
const OF_THE_KIT = ["chevron-right", "chevron-left", "chevron-down", "chevron-up", "close", "close-circle-filled", "check", "check-circle-filled", "error-circle-filled", "info-circle-filled", "loading", "add", "minus", "search", "circle", "check-rectangle-filled", "rectangle", "minus-circle-filled", "remove", "star-filled", "star", "image", "image-error", "file", "close-circle", "check-circle", "info-circle", "help-circle-filled", "calendar", "notification-filled", "delete"];

/** Every name after `icon=`, `left-icon=`, `prefix-icon=` … or `<t-icon name=` in a page, and after `icon:` in a script; a wrong one stops the build. */
export function namesIn(text) {
  const each = (pattern, inside = text) => [...inside.matchAll(pattern)].map((match) => match[1]);
  const named = [...each(/icon="([a-z][a-z0-9-]*)"/g), ...each(/<t-icon[^>]*?\sname="([a-z][a-z0-9-]*)"/g)];
  // {{ open ? 'chevron-up' : 'chevron-down' }}, and in a script `icon: "none"` of a toast: not every such word is an icon.
  const words = [...each(/(?:icon|name)="\{\{([^}]*)\}\}"/g).flatMap((chosen) => each(/'([a-z][a-z0-9-]*)'/g, chosen)), ...each(/\bicon: ?"([a-z][a-z0-9-]*)"/g)];
  return [...named, ...words.filter((name) => fs.existsSync(path.join(DRAWINGS, `${name}.svg`)))];
}

export function iconNames() {
  const texts = filesOf(SOURCE).filter((file) => /\.(wxml|ts)$/.test(file)).map((file) => read(SOURCE, file));
  return [...new Set([...OF_THE_KIT, ...texts.flatMap(namesIn)])].sort();
}

function rule(name) {
  const file = path.join(DRAWINGS, `${name}.svg`);
  if (!fs.existsSync(file)) throw new Error(`no icon ${name} in tdesign-icons-svg`);
  const drawing = fs.readFileSync(file, "utf8").replace(/\s*\n\s*/g, "").replace(/currentColor/g, "#000").replace(/<svg(?![^>]*viewBox)/, `<svg viewBox="0 0 24 24"`);
  const address = `url("data:image/svg+xml,${encodeURIComponent(drawing).replace(/'/g, "%27")}")`;
  return `.t-icon-${name}{-webkit-mask-image:${address};mask-image:${address};}`;
}

/** What stands in for TDesign's icon.wxss. */
export function iconStyles(names = iconNames()) {
  return [
    "@import '../common/style/index.wxss';",
    ".t-icon{display:inline-block;line-height:1;}",
    ".t-icon--image{width:100%;height:100%;}.t-icon__image{vertical-align:top;width:100%;height:100%;}",
    ".t-icon-base{display:block;width:1em;height:1em;background-color:currentColor;-webkit-mask-image:linear-gradient(transparent,transparent);mask-image:linear-gradient(transparent,transparent);-webkit-mask-repeat:no-repeat;mask-repeat:no-repeat;-webkit-mask-size:100% 100%;mask-size:100% 100%;}",
    ...names.map(rule),
  ].join("\n");
}
