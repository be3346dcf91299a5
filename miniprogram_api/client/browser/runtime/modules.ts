// WeChat's `require`: CommonJS, by a path relative to the file that asks, or by the name of a package.
import type { Script } from "./packed";

const PACKAGES = "miniprogram_npm/";

export class Modules {
  private readonly loaded = new Map<string, { exports: unknown }>();

  constructor(private readonly scripts: Record<string, Script>) {}

  has(path: string): boolean {
    return path in this.scripts;
  }

  isLoaded(path: string): boolean {
    return this.loaded.has(path);
  }

  load(path: string): unknown {
    const known = this.loaded.get(path);
    if (known) return known.exports;
    const script = this.scripts[path];
    if (!script) throw new Error(`no module ${path}`);
    const module = { exports: {} as unknown };
    this.loaded.set(path, module);
    script((wanted) => this.load(this.resolve(path, wanted)), module, module.exports);
    return module.exports;
  }

  resolve(from: string, wanted: string): string {
    const bare = wanted.replace(/\.js$/, "");
    const near = join(bare.startsWith("/") ? "" : from, bare);
    const places = [near, `${near}/index`, PACKAGES + bare, `${PACKAGES}${bare}/index`];
    return places.find((place) => this.has(place)) ?? near;
  }
}

/** `to` seen from the folder of the file `from`. */
export function join(from: string, to: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of to.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}
