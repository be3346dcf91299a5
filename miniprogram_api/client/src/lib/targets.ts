// Where a thing to do or a message leads: `{ kind, id }` of the API → a page. A new page adds its line here, and nowhere else.

export interface Target {
  kind: string;
  id: string;
}

type Way = (id: string) => string;

const PAGES: Record<string, Way> = {
  "real-name": () => "/pages/bind/bind",
  class: (id) => `/pages/class/class?id=${id}`,
  "admission-notice": (id) => `/pages/notice/notice?class=${id}`,
  task: (id) => `/pages/task/task?id=${id}`,
  survey: (id) => `/pages/survey/survey?id=${id}`,
  result: (id) => `/pages/result/result?class=${id}`,
  "taught-class": (id) => `/pages/taught/taught?id=${id}`,
  "taught-applications": (id) => `/pages/applicants/applicants?class=${id}`,
  invitation: (id) => `/pages/invitation/invitation?id=${id}`,
  "taught-scheme": (id) => `/pages/scheme/scheme?class=${id}`,
  "qualification-case": () => "/pages/standing/standing",
  "taught-tasks": (id) => `/pages/taught-tasks/taught-tasks?class=${id}`,
  session: (id) => `/pages/check-in/check-in?session=${id}`,
  "taught-session": (id) => `/pages/session-code/session-code?id=${id}`,
  me: () => "/pages/mine/mine",
  applications: () => "/pages/applications/applications",
  guidance: (id) => `/pages/guidance/guidance?id=${id}`,
  "certificate-request": () => "/pages/certificate-requests/certificate-requests",
  certificate: (id) => `/pages/certificate/certificate?id=${id}`,
};
const TABS = ["/pages/home/home", "/pages/training/training", "/pages/inbox/inbox", "/pages/mine/mine"];

/** Empty where no page of this version shows it: a message of a newer platform is still read. */
export const pageOf = (target: Target | null | undefined): string => (target ? (PAGES[target.kind]?.(target.id) ?? "") : "");

export function open(url: string): void {
  if (!url) return;
  if (TABS.includes(url)) void wx.switchTab({ url });
  else void wx.navigateTo({ url });
}
