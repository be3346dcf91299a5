// Reads a packed mini-program: its pages, and every component that they use, directly or not.
import path from "node:path";
import { filesOf, read } from "../../build/files.mjs";

const NPM = "miniprogram_npm/";

export const withoutKind = (file) => file.replace(/\.[^./]+$/, "");

/** A component's path in the package, by what a `usingComponents` of `from` calls it. */
export function resolveComponent(files, from, name) {
  const places = name.startsWith("/")
    ? [name.slice(1)]
    : [path.posix.join(path.posix.dirname(from), name), name, NPM + name, `${NPM}${name}/index`];
  const found = places.find((place) => files.has(`${place}.json`) || files.has(`${place}.js`));
  if (!found) throw new Error(`${from}: no component ${name}`);
  return found;
}

export function readPackage(folder) {
  const files = new Set(filesOf(folder));
  const app = JSON.parse(read(folder, "app.json"));
  const inPackages = (app.subPackages ?? app.subpackages ?? []).flatMap((one) => one.pages.map((page) => path.posix.join(one.root, page)));
  const pages = [...app.pages, ...inPackages];

  const resolved = (from, using) => Object.fromEntries(Object.entries(using ?? {}).map(([tag, name]) => [tag, resolveComponent(files, from, name)]));
  const everywhere = resolved("app", app.usingComponents);
  const configs = {};
  const queue = [...pages];
  while (queue.length) {
    const component = queue.pop();
    if (configs[component]) continue;
    const config = files.has(`${component}.json`) ? JSON.parse(read(folder, `${component}.json`)) : {};
    const using = { ...everywhere, ...resolved(component, config.usingComponents) };
    queue.push(...Object.values(using));
    for (const generic of Object.values(config.componentGenerics ?? {})) {
      if (!generic?.default) continue;
      const place = resolveComponent(files, component, generic.default);
      queue.push(place);
      generic.default = `/${place}`;
    }
    const rooted = Object.fromEntries(Object.entries(using).map(([tag, place]) => [tag, `/${place}`]));
    configs[component] = { ...config, usingComponents: rooted };
  }
  return { folder, files, app: { ...app, pages }, configs };
}
