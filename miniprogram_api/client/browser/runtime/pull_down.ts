// A page pulled down from its top is refreshed, as in WeChat; at a desk the bar has a button for it.

const ENOUGH_PX = 70;

export function pullDown(scroller: HTMLElement, refresh: () => Promise<void>): void {
  let from: number | null = null;
  let pulled = 0;
  const end = async () => {
    const enough = pulled > ENOUGH_PX;
    from = null;
    pulled = 0;
    scroller.style.removeProperty("--pulled");
    if (!enough) return;
    scroller.classList.add("page-refreshing");
    try {
      await refresh();
    } finally {
      scroller.classList.remove("page-refreshing");
    }
  };
  scroller.addEventListener("touchstart", (event) => { from = scroller.scrollTop === 0 ? event.touches[0]!.clientY : null; }, { passive: true });
  scroller.addEventListener("touchmove", (event) => {
    if (from === null) return;
    pulled = Math.max(0, event.touches[0]!.clientY - from) / 2;
    scroller.style.setProperty("--pulled", `${Math.min(pulled, ENOUGH_PX)}px`);
  }, { passive: true });
  scroller.addEventListener("touchend", () => void end());
  scroller.addEventListener("touchcancel", () => { pulled = 0; void end(); });
}
