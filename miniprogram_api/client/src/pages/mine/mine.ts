// 我的: whose phone this is and how far that is proved, and the ways to what is mine.
import { me, teaches, type Me } from "../../lib/people";
import { LOADING, show } from "../../lib/show";

const ROLES: Record<string, string> = { TRAINEE: "参训教师", BACKBONE_TEACHER: "骨干教师" };

const facts = (one: Me) => [
  { name: "身份", value: one.roles.map((role) => ROLES[role] ?? role).join("、") },
  { name: "身份证号", value: one.person?.id_number_masked ?? "" },
  { name: "实名状态", value: one.identity.title },
  { name: "适用机构", value: one.identity.institutions.join("、") },
];

Page({
  data: { ...LOADING, bound: false, name: "", facts: [] as ReturnType<typeof facts>, advice: "", digits: "", teaches: false },
  onShow() {
    return this.load();
  },
  onPullDownRefresh() {
    return this.load();
  },
  load() {
    return show(this, async () => {
      const one = await me();
      return { bound: one.bound, name: one.person?.name ?? "", facts: facts(one), advice: one.identity.advice, digits: one.identity.digits, teaches: teaches(one) };
    });
  },
  open(event: WechatMiniprogram.TouchEvent) {
    void wx.navigateTo({ url: event.currentTarget.dataset["url"] as string });
  },
});
