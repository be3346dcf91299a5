// Starts a mini-program in the browser: WeChat's component framework, its elements, its `wx`, then the first page.
/* eslint-disable @typescript-eslint/no-explicit-any */
import { MiniProgramEnv } from "glass-easel-miniprogram-adapter";
import { defineElements } from "./elements/all";
import { Frame } from "./frame";
import { giveGlobals } from "./globals";
import { Modules } from "./modules";
import type { Packed } from "./packed";
import { Pages } from "./pages";
import { makeContext } from "./window_context";
import { makeWx } from "./wx/wx";

const LAUNCH = { path: "", query: {}, scene: 1001 };

/** Behaviors of WeChat's own, named by a string, need no counterpart here. */
const withoutNamed = (definition: any) => (Array.isArray(definition?.behaviors) ? { ...definition, behaviors: definition.behaviors.filter((one: unknown) => typeof one !== "string") } : definition);

export function boot(packed: Packed): void {
  const openid = heldPhone();
  if (!openid) return;
  const target = globalThis as any;
  const environment = new MiniProgramEnv();
  const backend = environment.associateBackend(makeContext());
  const space = environment.createCodeSpace("", true);
  giveGlobals(target);

  const pages = new Pages(packed, { make: (path) => { const root = backend.createRoot("wx-page", space, path); return { root, page: root.get() }; } }, () => frame);
  const frame = new Frame(packed.app.tabBar, { back: () => pages.navigateBack(), refresh: () => void pages.refresh(), tab: (path) => pages.switchTab(`/${path}`) });
  const { wx, doors } = makeWx(openid, pages, frame);
  target.wx = wx;
  defineElements(environment.getGlobalCodeSpace().getComponentSpace(), space.getComponentSpace(), doors);

  let app: any = {};
  target.App = (definition: any) => { app = definition; };
  target.getApp = () => app;
  target.getCurrentPages = () => pages.all;
  addStyles(packed, backend, space);

  const modules = new Modules(packed.scripts);
  if (modules.has("app")) modules.load("app");
  for (const path of Object.keys(packed.configs)) {
    space.addComponentStaticConfig(path, packed.configs[path] as any);
    const content = packed.templates[path];
    if (content) space.addCompiledTemplate(path, { groupList: packed.templates, content } as any);
  }
  for (const path of Object.keys(packed.configs)) define(target, space, modules, path);
  app.onLaunch?.(LAUNCH);
  app.onShow?.(LAUNCH);
  pages.start();
  document.addEventListener("visibilitychange", () => (document.hidden ? app.onHide?.() : app.onShow?.(LAUNCH)));
}

/** Which phone this tab is, by its address. Without one the visitor is sent to where people are chosen; `new` makes one that nobody has. */
function heldPhone(): string | null {
  const held = new URLSearchParams(location.search).get("phone");
  if (held && held !== "new") return held;
  const fresh = `new-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
  location.replace(held ? `?phone=${fresh}` : "/simulator#people");
  return null;
}

function addStyles(packed: Packed, backend: any, space: any): void {
  for (const [path, text] of Object.entries(packed.styles)) {
    if (path === "app") {
      const sheet = document.createElement("style");
      sheet.textContent = text;
      document.head.appendChild(sheet);
      continue;
    }
    if (text) backend.registerStyleSheetContent(path, text);
    space.addStyleSheet(path, text ? path : undefined, packed.scopes[path]);
  }
}

/** Runs a component's script, during which Component, Page and Behavior speak of that component. */
function define(target: any, space: any, modules: Modules, path: string): void {
  if (modules.isLoaded(path)) return;
  space.componentEnv(path, (given: any) => {
    const before = [target.Component, target.Page, target.Behavior];
    target.Component = (definition?: any) => (definition === undefined ? given.Component() : given.Component(withoutNamed(definition)));
    target.Page = (definition: any) => given.Page(withoutNamed(definition));
    target.Behavior = (definition: any) => given.Behavior(withoutNamed(definition));
    if (modules.has(path)) modules.load(path);
    else given.Component({});
    [target.Component, target.Page, target.Behavior] = before;
  });
}
