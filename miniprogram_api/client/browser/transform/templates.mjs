// WXML and WXS, compiled by WeChat's own compiler into JavaScript.
import { createRequire } from "node:module";
import { read } from "../../build/files.mjs";
import { inBrowser } from "./names.mjs";
import { withoutKind } from "./package.mjs";

const { TmplGroup } = createRequire(import.meta.url)("glass-easel-template-compiler");
const SERIOUS = 3;

export const renameTags = (wxml) => wxml.replace(/<(\/?)([a-z][a-z-]*)(?=[\s/>])/g, (_, slash, tag) => `<${slash}${inBrowser(tag)}`);

/** WXS has no `instanceof`: scripts ask a value's `.constructor`, which in WXS is a word and in JavaScript a function. */
export const nameConstructors = (wxs) => wxs.replace(/([\w$]+(?:\.[\w$]+|\[[\w$]+\])*)\.constructor\b/g, "wxsTypeOf($1)");

/** JavaScript that gives, by path, the templates of the whole package. */
export function compileTemplates({ folder, files }) {
  const group = new TmplGroup();
  for (const file of files) {
    if (file.endsWith(".wxml")) {
      const warnings = group.addTmpl(withoutKind(file), renameTags(read(folder, file))) ?? [];
      const wrong = warnings.filter((one) => (one.level ?? 0) >= SERIOUS && !file.startsWith("miniprogram_npm/"));
      if (wrong.length) throw new Error(`${file}: ${wrong.map((one) => one.message ?? one).join("; ")}`);
    }
    if (file.endsWith(".wxs")) for (const name of [withoutKind(file), file]) group.addScript(name, nameConstructors(read(folder, file)));
  }
  return group.getTmplGenObjectGroups();
}
