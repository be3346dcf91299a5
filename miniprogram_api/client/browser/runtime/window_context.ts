// The browser as glass-easel draws into it. Its own context adds the same styles again with every page, and knows no keyboard.
import { glassEasel } from "glass-easel-miniprogram-adapter";

/* eslint-disable @typescript-eslint/no-explicit-any */
type Target = HTMLElement & { __wxElement?: any };

export class WindowContext extends glassEasel.CurrentWindowBackendContext {
  private readonly appended = new Map<string, number>();

  override appendStyleSheetPath(path: string, scope?: number): number {
    const known = this.appended.get(path);
    if (known !== undefined) return known;
    const id = super.appendStyleSheetPath(path, scope);
    this.appended.set(path, id);
    return id;
  }
}

export function makeContext(): WindowContext {
  const context = new WindowContext();
  context.onEvent((target: any, type: string, detail: any, options: any) => glassEasel.triggerEvent(target, type, detail, options) as any);
  document.body.addEventListener("keydown", tapByKey);
  return context;
}

/** Enter or space on what can be tapped taps it. Fields keep their keys. */
function tapByKey(event: KeyboardEvent): void {
  const target = event.target as Target;
  if ((event.key !== "Enter" && event.key !== " ") || !target.__wxElement || !target.hasAttribute("tabindex")) return;
  event.preventDefault();
  const { x, y } = target.getBoundingClientRect();
  glassEasel.triggerEvent(target.__wxElement, "tap", { x, y }, { bubbles: true, composed: true, capturePhase: true });
}
