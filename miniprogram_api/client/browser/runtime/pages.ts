// The stack of pages, and the browser's history beside it: the address names the page, back goes back, and reload stays.
/* eslint-disable @typescript-eslint/no-explicit-any */
import type { Frame } from "./frame";
import { join } from "./modules";
import type { Packed, Query } from "./packed";
import { pullDown } from "./pull_down";

interface Entry {
  id: number;
  path: string;
  query: Query;
  page: any;
  root: any;
  frame: HTMLElement;
  scroller: HTMLElement;
  title?: string;
}

export interface Maker {
  make(path: string): { page: any; root: any };
}

const NEAR_THE_END_PX = 50;
const clean = (url: string) => url.replace(/^#?\/?/, "");

export function split(url: string): { path: string; query: Query } {
  const [path = "", search = ""] = clean(url).split("?");
  return { path, query: Object.fromEntries(new URLSearchParams(search)) };
}

export class Pages {
  private stack: Entry[] = [];
  private readonly tabs = new Map<string, Entry>();
  private next = Date.now();

  constructor(private readonly packed: Packed, private readonly maker: Maker, private readonly frame: () => Frame) {
    addEventListener("popstate", (event) => this.follow(Number(event.state?.id ?? this.next++)));
  }

  get current(): Entry | undefined {
    return this.stack.at(-1);
  }

  get all(): any[] {
    return this.stack.map((entry) => entry.page);
  }

  /** The first page: of the address, or the mini-program's own. */
  start(): void {
    const wanted = split(location.hash);
    const url = this.packed.app.pages.includes(wanted.path) ? clean(location.hash) : this.home;
    this.put(url, "replace");
  }

  navigateTo(url: string): void {
    this.hide();
    this.put(this.absolute(url), "push");
  }

  redirectTo(url: string): void {
    const wanted = this.absolute(url);
    this.leave(this.stack.pop());
    this.put(wanted, "replace");
  }

  reLaunch(url: string): void {
    const wanted = this.absolute(url);
    this.clear();
    this.put(wanted, "push");
  }

  switchTab(url: string): void {
    const { path } = split(this.absolute(url));
    if (this.current?.path === path) return;
    this.hide();
    while (this.stack.length) {
      const entry = this.stack.pop()!;
      if (!this.tabs.has(entry.path)) this.leave(entry, false);
    }
    this.put(path, "push");
  }

  navigateBack(delta = 1): void {
    if (this.stack.length > delta) history.go(-delta);
    else this.reLaunch(this.home);
  }

  setTitle(title: string): void {
    if (this.current) this.current.title = title;
    this.frame().setTitle(title);
  }

  scrollTo(top: number): void {
    this.current?.scroller.scrollTo({ top, behavior: "smooth" });
  }

  refresh(): Promise<void> {
    return Promise.resolve(this.call(this.current, "onPullDownRefresh")) as Promise<void>;
  }

  private get home(): string {
    return this.packed.app.pages[0]!;
  }

  private absolute(url: string): string {
    if (url.startsWith("/")) return clean(url);
    const [path = "", search] = url.split("?");
    return join(this.current?.path ?? "", path) + (search ? `?${search}` : "");
  }

  /** The browser went back or on: to a page that is still there, or to one that has to be made again. */
  private follow(id: number): void {
    const index = this.stack.findIndex((entry) => entry.id === id);
    if (index >= 0) {
      if (index === this.stack.length - 1) return;
      while (this.stack.length > index + 1) this.leave(this.stack.pop());
      this.show(this.current!);
      return;
    }
    this.clear();
    this.put(clean(location.hash) || this.home, "stay", id);
  }

  private put(url: string, history_: "push" | "replace" | "stay", id = this.next++): void {
    const { path, query } = split(url);
    if (!this.packed.app.pages.includes(path)) throw new Error(`no page ${path}`);
    const kept = this.frame().isTab(path) ? this.tabs.get(path) : undefined;
    const entry = kept ?? this.open(path, query);
    entry.id = id;
    if (this.frame().isTab(path)) this.tabs.set(path, entry);
    this.stack.push(entry);
    if (history_ === "push") history.pushState({ id }, "", `#/${url}`);
    if (history_ === "replace") history.replaceState({ id }, "", `#/${url}`);
    if (!kept) this.call(entry, "onLoad", query);
    this.show(entry);
    if (!kept) this.life(entry, "onReady", "ready");
  }

  private open(path: string, query: Query): Entry {
    const frame = document.createElement("section");
    frame.className = "page-frame";
    const scroller = document.createElement("div");
    scroller.className = "page-scroll";
    const place = document.createElement("span");
    scroller.appendChild(place);
    frame.appendChild(scroller);
    this.frame().pages.appendChild(frame);
    const { page, root } = this.maker.make(path);
    page.route = page.__route__ = path;
    page.options = query;
    const entry: Entry = { id: 0, path, query, page, root, frame, scroller };
    root.attach(scroller, place);
    this.listen(entry);
    return entry;
  }

  private listen(entry: Entry): void {
    let atEnd = false;
    entry.scroller.addEventListener("scroll", () => {
      const { scrollTop, scrollHeight, clientHeight } = entry.scroller;
      this.call(entry, "onPageScroll", { scrollTop });
      const near = scrollHeight - scrollTop - clientHeight < NEAR_THE_END_PX;
      if (near && !atEnd) this.call(entry, "onReachBottom");
      atEnd = near;
    }, { passive: true });
    if (this.refreshes(entry)) pullDown(entry.scroller, () => this.refresh());
  }

  private refreshes(entry: Entry): boolean {
    return Boolean(this.packed.configs[entry.path]?.enablePullDownRefresh ?? this.packed.app.window?.enablePullDownRefresh);
  }

  private show(entry: Entry): void {
    entry.frame.hidden = false;
    const title = entry.title ?? this.packed.configs[entry.path]?.navigationBarTitleText ?? this.packed.app.window?.navigationBarTitleText ?? "";
    this.frame().show(entry.path, title, { back: !this.frame().isTab(entry.path), refresh: this.refreshes(entry) });
    this.life(entry, "onShow", "show");
  }

  private hide(entry = this.current): void {
    if (!entry || entry.frame.hidden) return;
    entry.frame.hidden = true;
    this.life(entry, "onHide", "hide");
  }

  private leave(entry: Entry | undefined, told = true): void {
    if (!entry) return;
    if (told && this.frame().isTab(entry.path)) return this.hide(entry);
    this.call(entry, "onUnload");
    entry.root.release();
    entry.frame.remove();
  }

  private clear(): void {
    while (this.stack.length) this.leave(this.stack.pop());
    for (const entry of this.tabs.values()) this.leave(entry, false);
    this.tabs.clear();
  }

  private call(entry: Entry | undefined, name: string, ...given: unknown[]): unknown {
    const act = entry?.page[name];
    return typeof act === "function" ? act.apply(entry!.page, given) : undefined;
  }

  private life(entry: Entry, name: string, ofComponents: string): void {
    this.call(entry, name);
    entry.root.getComponent().triggerPageLifetime(ofComponents, []);
  }
}
