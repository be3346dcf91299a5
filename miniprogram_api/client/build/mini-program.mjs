// Packs src/ and the part of TDesign that it uses into built/weapp/, which WeChat's developer tools open and upload.
import fs from "node:fs";
import path from "node:path";
import * as esbuild from "esbuild";
import { CLIENT, PACKED, SOURCE, bytesOf, filesOf, write } from "./files.mjs";
import { layKit } from "./kit.mjs";

const MOST_BYTES = 1.5 * 2 ** 20;

fs.rmSync(PACKED, { recursive: true, force: true });
const files = filesOf(SOURCE);
await esbuild.build({
  entryPoints: files.filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts")).map((file) => path.join(SOURCE, file)),
  outdir: PACKED,
  outbase: SOURCE,
  format: "cjs",
  target: "es2018",
  charset: "utf8",
  minify: true,
  legalComments: "none",
  define: { PLATFORM_ADDRESS: JSON.stringify(process.env.PLATFORM_PUBLIC_URL ?? "http://127.0.0.1:8000") },
});
for (const file of files.filter((one) => !one.endsWith(".ts"))) write(PACKED, file, fs.readFileSync(path.join(SOURCE, file)));
fs.copyFileSync(path.join(CLIENT, "project.config.json"), path.join(PACKED, "project.config.json"));
await layKit(PACKED);

const size = bytesOf(PACKED);
console.log(`built/weapp: ${filesOf(PACKED).length} files, ${Math.round(size / 1024)} KB`);
if (size > MOST_BYTES) throw new Error(`the package has ${size} bytes; it may have ${MOST_BYTES}`);
