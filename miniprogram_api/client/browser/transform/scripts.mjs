// The modules of the package: each becomes a function that is called with WeChat's `require`, `module` and `exports`.
import { read } from "../../build/files.mjs";
import { withoutKind } from "./package.mjs";

export function wrapScripts({ folder, files }) {
  const scripts = [...files].filter((file) => file.endsWith(".js"));
  const wrapped = scripts.map((file) => `${JSON.stringify(withoutKind(file))}: function (require, module, exports) {${read(folder, file)}\n}`);
  return `{${wrapped.join(",\n")}}`;
}
