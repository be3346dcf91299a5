// The bridge: what the build makes of WXML, WXSS and modules.
import { expect, test } from "vitest";
import { namesIn, iconStyles } from "../build/icons.mjs";
import { needsOf } from "../build/kit.mjs";
import { forTheClient } from "../build/types.mjs";
import { resolveComponent } from "../browser/transform/package.mjs";
import { rpx, transformStyle } from "../browser/transform/styles.mjs";
import { nameConstructors, renameTags } from "../browser/transform/templates.mjs";
import { Modules, join } from "../browser/runtime/modules.ts";
import { wxsTypeOf } from "../browser/runtime/globals.ts";
import { split } from "../browser/runtime/pages.ts";

test("WeChat's tags get names of their own, components keep theirs", () => {
  expect(renameTags('<view><t-cell title="a < b"/><text>x</text></view>')).toBe('<wx-view><t-cell title="a < b"/><wx-text>x</wx-text></wx-view>');
});

test("rpx follow the width of the phone", () => {
  expect(rpx("-12.5rpx auto 0")).toBe("calc(-12.5 * var(--rpx)) auto 0");
});

test("rules of an isolated component reach its own classes and host only", () => {
  expect(transformStyle(":host .a view{top:2rpx}", "s1").toString()).toBe('[wx-host=s1] .s1--a wx-view{top:calc(2 * var(--rpx))}');
  expect(transformStyle("page,.a{top:0}").toString()).toBe("wx-page,.a{top:0}");
  expect(transformStyle("@keyframes k{from{top:0}}", "s1").toString()).toBe("@keyframes k{from{top:0}}");
});

test("a component is found beside who uses it, from the root, or in a package", () => {
  const files = new Set(["a/b.json", "c/d.js", "miniprogram_npm/kit/x/x.json"]);
  expect(resolveComponent(files, "a/page", "./b")).toBe("a/b");
  expect(resolveComponent(files, "a/page", "/c/d")).toBe("c/d");
  expect(resolveComponent(files, "a/page", "kit/x/x")).toBe("miniprogram_npm/kit/x/x");
  expect(() => resolveComponent(files, "a/page", "./none")).toThrow("a/page: no component ./none");
});

test("modules are run once, and may ask for one another", () => {
  let runs = 0;
  const modules = new Modules({ "a/one": (require, module) => { runs += 1; module.exports = { two: require("../b/two.js") }; }, "b/two": (require, module) => { require("../a/one"); module.exports = 2; }, "miniprogram_npm/lib/index": (_, module) => { module.exports = "lib"; } });
  expect(modules.load("a/one")).toEqual({ two: 2 });
  modules.load("a/one");
  expect(runs).toBe(1);
  expect(modules.resolve("a/one", "lib")).toBe("miniprogram_npm/lib/index");
  expect(join("a/b/c", "../d")).toBe("a/d");
  expect(() => modules.load("none")).toThrow("no module none");
});

test("an address names a page and what it is given", () => {
  expect(split("#/pages/class/class?id=1&part=teaching")).toEqual({ path: "pages/class/class", query: { id: "1", part: "teaching" } });
});

test("a script of WXS asks what a value is", () => {
  expect(nameConstructors("a.b.constructor === 'Array'")).toBe("wxsTypeOf(a.b) === 'Array'");
  expect([[], {}, "", 1, null].map(wxsTypeOf)).toEqual(["Array", "Object", "String", "Number", undefined]);
});

test("the kit is followed through what its files need", () => {
  expect(needsOf("button/button.json", '{"usingComponents":{"t-icon":"../icon/icon"}}')).toContain("icon/icon.wxml");
  expect(needsOf("a/a.wxss", "@import '../common/index.wxss';")).toEqual(["common/index.wxss"]);
});

test("icons are those that pages name, and one that does not exist stops the build", () => {
  expect(namesIn(`<t-button icon="scan"/><t-icon name="{{open ? 'chevron-up' : 'chevron-down'}}"/> icon: "none"`)).toEqual(["scan", "chevron-up", "chevron-down"]);
  expect(iconStyles(["scan"])).toContain(".t-icon-scan{");
  expect(iconStyles(["scan"])).not.toContain("http:" + "//tdesign");
  expect(() => iconStyles(["no-such"])).toThrow("no icon no-such");
});

test("the types know the answers, by the path without its prefix", () => {
  const { paths } = forTheClient({ paths: { "/api/v1/me": { get: { responses: { 200: {}, 401: {} } } } } });
  expect(paths).toEqual({ "/me": { get: { responses: { 200: {} } } } });
});
