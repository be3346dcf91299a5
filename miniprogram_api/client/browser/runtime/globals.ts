// What WXS scripts expect of the world around them.

const NAMES: Record<string, string> = { string: "String", number: "Number", boolean: "Boolean", function: "Function", object: "Object" };

export function wxsTypeOf(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) return "Array";
  if (value instanceof RegExp) return "RegExp";
  if (value instanceof Date) return "Date";
  return NAMES[typeof value];
}

export function giveGlobals(target: Record<string, unknown>): void {
  target.getRegExp = (pattern: string, flags?: string) => new RegExp(pattern, flags ?? "");
  target.getDate = (...parts: []) => new Date(...parts);
  target.wxsTypeOf = wxsTypeOf;
  target.global = target;
}
