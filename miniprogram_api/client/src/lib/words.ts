// The page's side of components/words-popup: what is asked for, and sending it so that a refusal stands beside the words.
import { dropDraft } from "./drafts";
import { asProblem } from "./show";

export interface Asking {
  /** The name of the draft, which opens the popup; empty: nothing is asked. */
  name: string;
  title: string;
  hint: string;
  action: string;
  least: number;
}

export const NOT_ASKING = { asking: { name: "", title: "", hint: "", action: "提交", least: 4 } as Asking, problem: "" };

export const asked = (name: string, title: string, hint = "", action = "提交", least = 4) => ({ asking: { name, title, hint, action, least }, problem: "" });

interface Page {
  data: { asking: Asking; busy: string };
  setData(data: object): void;
}

/** True when it was done: then the draft is dropped and the popup closed. */
export async function sendWords(page: Page, act: () => Promise<unknown>): Promise<boolean> {
  if (page.data.busy) return false;
  page.setData({ busy: "words", problem: "" });
  try {
    await act();
    dropDraft(page.data.asking.name);
    page.setData(NOT_ASKING);
    return true;
  } catch (error) {
    page.setData({ problem: asProblem(error).words });
    return false;
  } finally {
    page.setData({ busy: "" });
  }
}
