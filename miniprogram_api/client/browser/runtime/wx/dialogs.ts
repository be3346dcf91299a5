// Toasts, questions, lists to choose from: WeChat's own, drawn here as it draws them.
import { Failure, call } from "./call";

interface Question { title?: string; content?: string; showCancel?: boolean; cancelText?: string; confirmText?: string; editable?: boolean; placeholderText?: string }

function make<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, className: string, words = ""): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = words;
  return made;
}

export class Dialogs {
  private toast?: HTMLElement;
  private timer = 0;

  constructor(private readonly place: HTMLElement) {}

  showToast(title: string, icon: string, duration: number): void {
    this.hideToast();
    this.toast = make("div", `wx-toast wx-toast-${icon}`, title);
    this.toast.setAttribute("role", "status");
    this.place.appendChild(this.toast);
    if (duration > 0) this.timer = window.setTimeout(() => this.hideToast(), duration);
  }

  hideToast(): void {
    clearTimeout(this.timer);
    this.toast?.remove();
    this.toast = undefined;
  }

  /** Opens a dialog that keeps the focus; `close` is given to whoever fills it. */
  private open<Answer>(className: string, fill: (dialog: HTMLDialogElement, close: (answer: Answer) => void) => void, onCancel: Answer): Promise<Answer> {
    return new Promise((done) => {
      const dialog = make("dialog", className);
      const close = (answer: Answer) => { dialog.close(); dialog.remove(); done(answer); };
      dialog.addEventListener("cancel", (event) => { event.preventDefault(); close(onCancel); });
      fill(dialog, close);
      this.place.appendChild(dialog);
      dialog.showModal();
    });
  }

  ask(question: Question): Promise<{ confirm: boolean; cancel: boolean; content: string }> {
    const cancelled = { confirm: false, cancel: true, content: "" };
    return this.open("wx-modal", (dialog, close) => {
      if (question.title) dialog.appendChild(make("h2", "", question.title));
      dialog.setAttribute("aria-label", question.title || question.content || "提示");
      const field = question.editable ? make("textarea", "") : undefined;
      if (field) {
        field.value = question.content ?? "";
        field.placeholder = question.placeholderText ?? "";
        field.setAttribute("aria-label", question.placeholderText || question.title || "内容");
        dialog.appendChild(field);
      } else if (question.content) dialog.appendChild(make("p", "", question.content));
      const actions = make("div", "wx-modal-actions");
      if (question.showCancel !== false) actions.appendChild(button(question.cancelText ?? "取消", () => close(cancelled)));
      const confirm = button(question.confirmText ?? "确定", () => close({ confirm: true, cancel: false, content: field?.value ?? "" }));
      confirm.classList.add("wx-modal-confirm");
      actions.appendChild(confirm);
      dialog.appendChild(actions);
    }, cancelled);
  }

  async choose(items: string[]): Promise<number> {
    const nothing = -1;
    return this.open("wx-sheet", (dialog, close) => {
      dialog.setAttribute("aria-label", "请选择");
      items.forEach((item, index) => dialog.appendChild(button(item, () => close(index))));
      const cancel = button("取消", () => close(nothing));
      cancel.classList.add("wx-sheet-cancel");
      dialog.appendChild(cancel);
    }, nothing);
  }

  /** Several choices with a tick each, as WeChat asks about messages. */
  async tick(title: string, items: string[]): Promise<boolean[] | null> {
    return this.open<boolean[] | null>("wx-sheet wx-subscribe", (dialog, close) => {
      dialog.setAttribute("aria-label", title);
      dialog.appendChild(make("h2", "", title));
      const ticks = items.map((item) => {
        const label = make("label", "", item);
        const box = make("input", "");
        box.type = "checkbox";
        box.checked = true;
        label.prepend(box);
        dialog.appendChild(label);
        return box;
      });
      dialog.appendChild(button("允许", () => close(ticks.map((box) => box.checked))));
      dialog.appendChild(button("取消", () => close(null)));
    }, null);
  }

  async showPictures(urls: string[], current: string): Promise<void> {
    await this.open<void>("wx-pictures", (dialog, close) => {
      let at = Math.max(0, urls.indexOf(current));
      const picture = make("img", "");
      const count = make("p", "");
      const show = (index: number) => {
        at = (index + urls.length) % urls.length;
        picture.src = urls[at]!;
        picture.alt = count.textContent = urls.length > 1 ? `${at + 1} / ${urls.length}` : "图片";
      };
      dialog.setAttribute("aria-label", "查看图片");
      show(at);
      dialog.append(picture, count);
      if (urls.length > 1) dialog.append(button("上一张", () => show(at - 1)), button("下一张", () => show(at + 1)));
      dialog.append(button("关闭", () => close()));
    }, undefined);
  }
}

function button(words: string, act: () => void): HTMLButtonElement {
  const made = make("button", "", words);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

const USUAL_MS = 1500;

export function dialogCalls(dialogs: Dialogs) {
  return {
    showToast: call("showToast", ({ title, icon = "success", duration = USUAL_MS }: { title: string; icon?: string; duration?: number }) => dialogs.showToast(title, icon, duration)),
    hideToast: call("hideToast", () => dialogs.hideToast()),
    showLoading: call("showLoading", ({ title }: { title: string }) => dialogs.showToast(title, "loading", 0)),
    hideLoading: call("hideLoading", () => dialogs.hideToast()),
    showModal: call("showModal", (question: Question) => dialogs.ask(question)),
    showActionSheet: call("showActionSheet", async ({ itemList }: { itemList: string[] }) => {
      const tapIndex = await dialogs.choose(itemList);
      if (tapIndex < 0) throw new Failure("showActionSheet", "cancel");
      return { tapIndex };
    }),
  };
}
