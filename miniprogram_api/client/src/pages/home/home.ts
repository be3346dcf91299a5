// 首页: who I am, what is due, and the ways that lead on.
import { me, teaches, type Me } from "../../lib/people";
import { LOADING, show } from "../../lib/show";

interface Due {
  words: string;
  url: string;
}

/** Each kind of what waits, in the order of its urgency. */
function due(one: Me): Due[] {
  const { waiting } = one;
  const all: [number, string, string][] = [
    [waiting.tasks, "项学习成果待提交", "/pages/training/training"],
    [waiting.surveys, "份问卷待填写", "/pages/training/training"],
    [waiting.guidance, "条后续指导待确认", "/pages/mine/mine"],
    [waiting.invitations, "封邀请函待答复", "/pages/training/training"],
    [waiting.signatures, "份培训方案待签署", "/pages/training/training"],
    [waiting.grades, "份学习成果待批阅", "/pages/training/training"],
    [waiting.applications, "名报名者待审核", "/pages/training/training"],
    [waiting.statements, "件动态管理事项可陈述", "/pages/mine/mine"],
  ];
  return all.filter(([count]) => count > 0).map(([count, words, url]) => ({ words: `${count} ${words}`, url }));
}

Page({
  data: { ...LOADING, name: "", identity: "", advice: "", bound: false, teaches: false, due: [] as Due[] },
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const one = await me();
      const unread = one.unread_messages;
      if (unread) void wx.setTabBarBadge({ index: 2, text: unread > 99 ? "99+" : String(unread) }).catch(() => undefined);
      else void wx.removeTabBarBadge({ index: 2 }).catch(() => undefined);
      return { bound: one.bound, name: one.person?.name ?? "", identity: one.identity.title, advice: one.identity.state === "CONFIRMED" ? "" : one.identity.advice, teaches: teaches(one), due: due(one) };
    });
  },
  open(event: WechatMiniprogram.TouchEvent) {
    const url = event.currentTarget.dataset["url"] as string;
    if (["home", "training", "inbox", "mine"].some((tab) => url === `/pages/${tab}/${tab}`)) void wx.switchTab({ url });
    else void wx.navigateTo({ url });
  },
});
