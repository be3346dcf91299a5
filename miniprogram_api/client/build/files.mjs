// Small things about folders that every step of the build needs.
import fs from "node:fs";
import path from "node:path";

export const CLIENT = path.resolve(import.meta.dirname, "..");
export const SOURCE = path.join(CLIENT, "src");
export const PACKED = path.join(CLIENT, "built/weapp");
export const PHONE = path.join(CLIENT, "built/phone");

/** Every file of a folder, by its path inside it, with `/` between the parts. */
export function filesOf(folder) {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join("/"))
    .sort();
}

export const read = (folder, file) => fs.readFileSync(path.join(folder, file), "utf8");

export function write(folder, file, content) {
  const to = path.join(folder, file);
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.writeFileSync(to, content);
}

export const bytesOf = (folder) => filesOf(folder).reduce((sum, file) => sum + fs.statSync(path.join(folder, file)).size, 0);
