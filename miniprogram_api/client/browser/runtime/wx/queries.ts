// wx.createSelectorQuery and createIntersectionObserver: where things are on the page.
/* eslint-disable @typescript-eslint/no-explicit-any */

type Ask = { many: boolean; selector: string; of: any; read: (element: Element) => unknown; tell?: (result: any) => void };

/** The DOM element of a component, or of the page that is shown. */
function rootOf(component: any): Element {
  return component?._$?.getBackendElement?.() ?? component?.$$ ?? document.querySelector(".page-frame:not([hidden])") ?? document.body;
}

/** Classes of an isolated component carry its prefix here. */
function found(root: Element, selector: string): Element[] {
  const loose = selector.replace(/\.([\w-]+)/g, (_, name: string) => `:is(.${CSS.escape(name)}, [class*="--${name}"])`);
  return [...root.querySelectorAll(loose)];
}

function rect(element: Element) {
  const { left, top, right, bottom, width, height } = element.getBoundingClientRect();
  return { id: element.id, left, top, right, bottom, width, height, dataset: {} };
}
const offset = (element: Element) => ({ scrollTop: element.scrollTop, scrollLeft: element.scrollLeft, scrollHeight: element.scrollHeight, scrollWidth: element.scrollWidth });

export function createSelectorQuery() {
  const asked: Ask[] = [];
  let of: any = null;
  const query: any = {
    in(component: any) { of = component; return query; },
    select: (selector: string) => node(selector, false),
    selectAll: (selector: string) => node(selector, true),
    selectViewport: () => node("", false),
    exec(done?: (results: unknown[]) => void) {
      requestAnimationFrame(() => {
        const results = asked.map((one) => {
          const elements = one.selector ? found(rootOf(one.of), one.selector) : [document.querySelector(".page-frame:not([hidden]) .page-scroll") ?? document.body];
          const result = one.many ? elements.map(one.read) : elements[0] ? one.read(elements[0]) : null;
          one.tell?.(result);
          return result;
        });
        done?.(results);
      });
    },
  };
  const node = (selector: string, many: boolean) => {
    const ask = (read: Ask["read"]) => (tell?: Ask["tell"]) => { asked.push({ many, selector, of, read, tell }); return query; };
    return {
      boundingClientRect: ask(rect),
      scrollOffset: ask(offset),
      fields: (_fields: unknown, tell?: Ask["tell"]) => ask((element) => ({ ...rect(element), ...offset(element) }))(tell),
      node: ask((element) => ({ node: element })),
      context: ask(() => null),
    };
  };
  return query;
}

export function createIntersectionObserver(component?: any) {
  let observer: IntersectionObserver | undefined;
  const made: any = {
    relativeTo: () => made,
    relativeToViewport: () => made,
    observe(selector: string, tell: (result: any) => void) {
      observer = new IntersectionObserver((entries) => entries.forEach((one) => tell({ intersectionRatio: one.intersectionRatio, boundingClientRect: one.boundingClientRect, intersectionRect: one.intersectionRect })));
      for (const element of found(rootOf(component), selector)) observer.observe(element);
    },
    disconnect: () => observer?.disconnect(),
  };
  return made;
}
