// How a page comes to its content: skeleton, content, or what went wrong with the way on. See components/state-view.
import { Problem } from "../api/api";

export type State = "loading" | "ready" | "empty" | "failed";

/** What `state-view` is given, in the data of every page. */
export interface Shown {
  state: State;
  failure: { title: string; detail: string } | null;
}

export const LOADING: Shown = { state: "loading", failure: null };

interface Page {
  data: Shown;
  setData(data: object): void;
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  console.error(error);
  return new Problem("internal", "小程序出错了", "请返回后重试；一直不行的，请更新微信或联系培训机构。");
}

/**
 * Fetches and shows. `fetch` gives the page's data; null means there is nothing to show. What is shown already stays when a second
 * fetch fails: the failure then stands above it.
 */
export async function show(page: Page, fetch: () => Promise<object | null>): Promise<void> {
  const before = page.data.state;
  if (before === "failed") page.setData(LOADING);
  try {
    const found = await fetch();
    page.setData(found === null ? { state: "empty", failure: null } : { ...found, state: "ready", failure: null });
  } catch (error) {
    const problem = asProblem(error);
    page.setData({ state: before === "ready" ? "ready" : "failed", failure: { title: problem.title, detail: problem.words } });
  } finally {
    wx.stopPullDownRefresh();
  }
}

interface Busy {
  setData(data: object): void;
  data: { busy?: string };
}

/** Does something once: the button that was pressed is busy meanwhile, and a refusal is shown in words. True when it was done. */
export async function attempt(page: Busy, name: string, act: () => Promise<void>): Promise<boolean> {
  if (page.data.busy) return false;
  page.setData({ busy: name });
  try {
    await act();
    return true;
  } catch (error) {
    const problem = asProblem(error);
    await wx.showModal({ title: problem.title, content: problem.words, showCancel: false, confirmText: "知道了" });
    return false;
  } finally {
    page.setData({ busy: "" });
  }
}

/** Of one moment: said and gone. */
export const say = (title: string): void => void wx.showToast({ title, icon: "none", duration: 2500 });
