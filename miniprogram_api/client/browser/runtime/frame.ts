// What WeChat draws around a page: the bar with the title and the way back, and the tabs below.
import type { TabBar } from "./packed";

const at = <Element extends HTMLElement>(id: string) => document.getElementById(id) as Element;

export class Frame {
  private readonly title = at<HTMLElement>("title");
  private readonly back = at<HTMLButtonElement>("back");
  private readonly refresh = at<HTMLButtonElement>("refresh");
  private readonly tabs = at<HTMLElement>("tabs");
  readonly pages = at<HTMLElement>("pages");
  readonly dialogs = at<HTMLElement>("dialogs");

  constructor(private readonly tabBar: TabBar | undefined, acts: { back(): void; refresh(): void; tab(path: string): void }) {
    this.back.addEventListener("click", acts.back);
    this.refresh.addEventListener("click", acts.refresh);
    for (const tab of tabBar?.list ?? []) this.tabs.appendChild(tabButton(tab, () => acts.tab(tab.pagePath)));
  }

  isTab(path: string): boolean {
    return this.tabBar?.list.some((tab) => tab.pagePath === path) ?? false;
  }

  show(path: string, title: string, way: { back: boolean; refresh: boolean }): void {
    this.setTitle(title);
    this.back.hidden = !way.back;
    this.refresh.hidden = !way.refresh;
    this.tabs.hidden = !this.isTab(path);
    this.tabBar?.list.forEach((tab, index) => {
      const button = this.tabs.children[index] as HTMLElement;
      if (tab.pagePath === path) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
    });
  }

  setTitle(title: string): void {
    document.title = this.title.textContent = title;
  }

  setBadge(index: number, words: string): void {
    const badge = this.tabs.children[index]?.querySelector<HTMLElement>(".wx-badge");
    if (!badge) return;
    badge.textContent = words;
    badge.hidden = words === "";
  }
}

function tabButton(tab: TabBar["list"][number], act: () => void): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  for (const [path, name] of [[tab.iconPath, "wx-tab-icon"], [tab.selectedIconPath, "wx-tab-icon-selected"]] as const) {
    if (!path) continue;
    const icon = document.createElement("img");
    icon.src = `/phone/${path}`;
    icon.alt = "";
    icon.className = name;
    button.appendChild(icon);
  }
  const words = document.createElement("span");
  words.textContent = tab.text;
  const badge = document.createElement("b");
  badge.className = "wx-badge";
  badge.hidden = true;
  button.append(words, badge);
  button.addEventListener("click", act);
  return button;
}
