// The part of TDesign that our pages use, with all it needs: WeChat's own "构建 npm" would copy the whole of it.
import fs from "node:fs";
import path from "node:path";
import * as esbuild from "esbuild";
import { CLIENT, SOURCE, filesOf, read, write } from "./files.mjs";
import { iconStyles } from "./icons.mjs";

const NAME = "tdesign-miniprogram";
const KIT = path.join(CLIENT, "node_modules", NAME, "miniprogram_dist");
const NPM = "miniprogram_npm";
const FOR_WECHAT = { format: "cjs", target: "es2018", minify: true, charset: "utf8" };
const BESIDE = /["'](dayjs[^"']*|tslib|tinycolor2|marked)["']/g;

/** The files that a file of the kit needs, as paths in the kit. */
export function needsOf(file, text) {
  const beside = (to) => path.posix.join(path.posix.dirname(file), to);
  const each = (pattern) => [...text.matchAll(pattern)].map((match) => match[1]);
  switch (path.extname(file)) {
    case ".js":
      return each(/(?:from|require\(|import)\s*\(?["'](\.[^"']+)["']/g).flatMap((to) => [beside(to), `${beside(to)}.js`, `${beside(to)}/index.js`]);
    case ".wxss":
      return each(/@import\s*["']([^"']+)["']/g).map(beside);
    case ".wxml":
      return each(/src="([^"{]+\.(?:wxml|wxs))"/g).map(beside);
    case ".wxs":
      return each(/require\(["']([^"']+)["']\)/g).map(beside);
    case ".json": {
      const { usingComponents = {}, componentGenerics = {} } = JSON.parse(text);
      const generic = Object.values(componentGenerics).map((one) => one?.default).filter(Boolean);
      return [...Object.values(usingComponents), ...generic].map(beside).flatMap(partsOf);
    }
    default:
      return [];
  }
}

const partsOf = (component) => [".json", ".js", ".wxml", ".wxss"].map((kind) => component + kind);

/** The components of the kit that our own pages and components name. */
function wanted() {
  const configs = filesOf(SOURCE).filter((file) => file.endsWith(".json")).map((file) => JSON.parse(read(SOURCE, file)));
  const named = configs.flatMap((config) => Object.values(config.usingComponents ?? {}));
  return named.filter((name) => name.startsWith(`${NAME}/`)).map((name) => name.slice(NAME.length + 1));
}

/** What our own scripts import by a package's name. */
function librariesOfOurs() {
  const scripts = filesOf(SOURCE).filter((file) => file.endsWith(".ts"));
  return new Set(scripts.flatMap((file) => [...read(SOURCE, file).matchAll(/^import (?!type).* from "([a-z][\w./-]*)";$/gm)].map((match) => match[1])));
}

function content(file, text) {
  if (file === "icon/icon.wxss") return iconStyles();
  return file.endsWith(".js") ? esbuild.transformSync(text, FOR_WECHAT).code : text;
}

/** Our own scripts ask for a library's default export and get it as the module itself, as Node gives it. */
const AS_NODE = { js: "module.exports = module.exports.default || module.exports;" };

async function layLibrary(name, packed, footer = {}) {
  const inKit = path.join(KIT, NPM);
  const single = fs.existsSync(path.join(inKit, `${name}.js`));
  const entry = [path.join(inKit, name, "index.js"), path.join(inKit, `${name}.js`)].find((file) => fs.existsSync(file)) ?? name;
  const outfile = path.join(packed, NPM, single ? `${name}.js` : `${name}/index.js`);
  await esbuild.build({ ...FOR_WECHAT, entryPoints: [entry], outfile, bundle: true, external: name === "dayjs" ? [] : ["dayjs"], logLevel: "error", footer });
}

export async function layKit(packed) {
  const queue = wanted().flatMap(partsOf);
  const laid = new Set();
  const libraries = new Set();
  while (queue.length) {
    const file = queue.pop();
    const from = path.join(KIT, file);
    if (laid.has(file) || !fs.existsSync(from) || fs.statSync(from).isDirectory()) continue;
    laid.add(file);
    const text = fs.readFileSync(from, "utf8");
    write(packed, `${NPM}/${NAME}/${file}`, content(file, text));
    queue.push(...needsOf(file, text));
    if (file.endsWith(".js")) for (const match of text.matchAll(BESIDE)) libraries.add(match[1]);
  }
  if ([...libraries].some((name) => name.startsWith("dayjs/"))) libraries.add("dayjs"); // its languages ask for it
  for (const library of libraries) await layLibrary(library, packed);
  for (const library of librariesOfOurs()) await layLibrary(library, packed, AS_NODE);
}
