// The whole of `wx`. What is missing is undefined, as in an old version of WeChat, and `on…`/`off…` do nothing.
/* eslint-disable @typescript-eslint/no-explicit-any */
import type { Doors } from "../elements/buttons";
import type { Frame } from "../frame";
import type { Pages } from "../pages";
import { call } from "./call";
import { Dialogs, dialogCalls } from "./dialogs";
import { device } from "./device";
import { Files, fileCalls } from "./files";
import { network } from "./network";
import { createIntersectionObserver, createSelectorQuery } from "./queries";
import { storage } from "./storage";
import { WeiXin, guarded } from "./weixin";

export function makeWx(openid: string, pages: Pages, frame: Frame): { wx: any; doors: Doors } {
  const dialogs = new Dialogs(frame.dialogs);
  const files = new Files();
  const kept = storage(openid);
  const weixin = new WeiXin(openid, kept, dialogs);
  const known: Record<string, any> = {
    env: { USER_DATA_PATH: "wxfile://usr" },
    ...network(files),
    ...fileCalls(files, dialogs),
    ...kept,
    ...dialogCalls(dialogs),
    ...device(dialogs),
    ...weixin.calls(),
    ...pageCalls(pages, frame),
    createSelectorQuery,
    createIntersectionObserver,
  };
  guarded(known, weixin);
  const wx = new Proxy(known, { get: (target, name) => (name in target ? target[name as string] : /^(on|off)[A-Z]/.test(String(name)) ? () => undefined : undefined) });
  const doors: Doors = {
    opened: (openType) => weixin.opened(openType),
    navigate: (openType, url) => {
      const go: Record<string, () => void> = { navigate: () => pages.navigateTo(url), redirect: () => pages.redirectTo(url), reLaunch: () => pages.reLaunch(url), switchTab: () => pages.switchTab(url), navigateBack: () => pages.navigateBack() };
      go[openType]?.();
    },
  };
  return { wx, doors };
}

function pageCalls(pages: Pages, frame: Frame) {
  type To = { url: string };
  return {
    navigateTo: call("navigateTo", ({ url }: To) => pages.navigateTo(url)),
    redirectTo: call("redirectTo", ({ url }: To) => pages.redirectTo(url)),
    reLaunch: call("reLaunch", ({ url }: To) => pages.reLaunch(url)),
    switchTab: call("switchTab", ({ url }: To) => pages.switchTab(url)),
    navigateBack: call("navigateBack", ({ delta }: { delta?: number }) => pages.navigateBack(delta)),
    setNavigationBarTitle: call("setNavigationBarTitle", ({ title }: { title: string }) => pages.setTitle(title)),
    setNavigationBarColor: call("setNavigationBarColor", () => undefined),
    setTabBarBadge: call("setTabBarBadge", ({ index, text }: { index: number; text: string }) => frame.setBadge(index, text)),
    removeTabBarBadge: call("removeTabBarBadge", ({ index }: { index: number }) => frame.setBadge(index, "")),
    startPullDownRefresh: call("startPullDownRefresh", () => void pages.refresh()),
    stopPullDownRefresh: call("stopPullDownRefresh", () => undefined),
    pageScrollTo: call("pageScrollTo", ({ scrollTop = 0 }: { scrollTop?: number }) => pages.scrollTo(scrollTop)),
    showShareMenu: call("showShareMenu", () => undefined),
    hideShareMenu: call("hideShareMenu", () => undefined),
    enableAlertBeforeUnload: call("enableAlertBeforeUnload", () => undefined),
    disableAlertBeforeUnload: call("disableAlertBeforeUnload", () => undefined),
  };
}
