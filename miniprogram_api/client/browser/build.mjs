// Makes built/phone/ of built/weapp/: the very files of the mini-program as a page, which the platform serves at /phone/.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import * as esbuild from "esbuild";
import { PACKED, PHONE, bytesOf, read, write } from "../build/files.mjs";
import { readPackage } from "./transform/package.mjs";
import { wrapScripts } from "./transform/scripts.mjs";
import { transformStyles } from "./transform/styles.mjs";
import { compileTemplates } from "./transform/templates.mjs";

const HERE = import.meta.dirname;
const PICTURES = /\.(png|jpe?g|svg)$/;

const packed = readPackage(PACKED);
const { styles, scopes } = transformStyles(packed);
const entry = `
import { boot } from "./runtime/boot.ts";
boot({
  app: ${JSON.stringify(packed.app)},
  configs: ${JSON.stringify(packed.configs)},
  styles: ${JSON.stringify(styles)},
  scopes: ${JSON.stringify(scopes)},
  scripts: ${wrapScripts(packed)},
  templates: ${compileTemplates(packed)},
});`;

fs.rmSync(PHONE, { recursive: true, force: true });
const built = await esbuild.build({
  stdin: { contents: entry, resolveDir: HERE, loader: "js" },
  bundle: true,
  format: "iife",
  minify: true,
  write: false,
  charset: "utf8",
  logLevel: "error",
  logOverride: { "commonjs-variable-in-esm": "silent", "direct-eval": "silent" },
});
const script = built.outputFiles[0].text;
const sheet = read(HERE, "page.css");
write(PHONE, "app.js", script);
write(PHONE, "page.css", sheet);
const version = createHash("sha256").update(script).update(sheet).digest("hex").slice(0, 16);
write(PHONE, "index.html", read(HERE, "page.html").replaceAll("VERSION", version));
for (const file of packed.files) if (PICTURES.test(file)) write(PHONE, file, fs.readFileSync(path.join(PACKED, file)));
console.log(`built/phone: ${Object.keys(packed.configs).length} components, ${Math.round(bytesOf(PHONE) / 1024)} KB`);
