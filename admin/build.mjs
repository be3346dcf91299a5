// Lays what the pages need of the npm packages into static/vendor/ (not in git): `npm ci && npm run build`.
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";

const packages = new URL("node_modules/", import.meta.url);
const vendor = new URL("static/vendor/", import.meta.url);

const read = (base, path) => readFile(new URL(path, base), "utf8");

/** One <symbol> an icon of icons.json, so that a page carries a reference and not a drawing. */
async function iconSprite() {
  const names = JSON.parse(await read(import.meta.url, "icons.json"));
  const symbols = names.map(async (name) => {
    const svg = await read(packages, `@tabler/icons/icons/outline/${name}.svg`);
    const shapes = svg.slice(svg.indexOf(">") + 1, svg.lastIndexOf("</svg>")).replace(/<path stroke="none"[^>]*>/, "");
    return `<symbol id="${name}" viewBox="0 0 24 24">${shapes.replace(/\s*\n\s*/g, "")}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">${(await Promise.all(symbols)).join("\n")}</svg>\n`;
}

/** Tabler's style sheet without the pointer to a source map that we do not serve. */
async function tablerStyles() {
  const css = await read(packages, "@tabler/core/dist/css/tabler.min.css");
  return css.replace(/\/\*# sourceMappingURL=[^*]*\*\//, "");
}

await rm(vendor, { recursive: true, force: true });
await mkdir(vendor, { recursive: true });
await writeFile(new URL("icons.svg", vendor), await iconSprite());
await writeFile(new URL("tabler.min.css", vendor), await tablerStyles());
await cp(new URL("htmx.org/dist/htmx.min.js", packages), new URL("htmx.min.js", vendor));
// The puzzle before the public query: the build whose worker and styles are files of ours, as the content security policy asks for.
await cp(new URL("altcha/dist/external/altcha.min.js", packages), new URL("altcha.min.js", vendor));
await cp(new URL("altcha/dist/external/altcha.css", packages), new URL("altcha.css", vendor));
await cp(new URL("altcha/dist/workers/pbkdf2.js", packages), new URL("altcha-worker.js", vendor));
