// What a teacher may do about one line of a roll, in words: pure.
export type Status = "present" | "late" | "void";

export interface Choice {
  words: string;
  kind: "register" | "change" | "judge";
  status?: Status;
  verdict?: "fine" | "wrong";
}

export const STATUS: Record<Status | "missing", [string, string]> = { present: ["出勤", ""], late: ["迟到", "mark-warn"], void: ["作废", "mark-danger"], missing: ["未签到", "mark-soft"] };

export const FLAGS: Record<string, string> = { "outside-geofence": "不在教室范围内", "location-unusable": "定位不准", "no-location": "未提供定位", "shared-device": "同一手机为多人签到", "unconfirmed-phone": "身份待确认的手机签到" };

/** Whoever is missing is registered; whoever is in is corrected; flags that nobody has judged are judged. */
export function choicesFor(status: Status | null, openFlags: readonly string[]): Choice[] {
  if (status === null) return [{ words: "补签为出勤", kind: "register", status: "present" }, { words: "补签为迟到", kind: "register", status: "late" }];
  const others = (["present", "late", "void"] as const).filter((one) => one !== status);
  const changes = others.map((one): Choice => ({ words: `更正为${STATUS[one][0]}`, kind: "change", status: one }));
  if (!openFlags.length) return changes;
  return [{ words: "核实提示：没有问题", kind: "judge", verdict: "fine" }, { words: "核实提示：情况不实", kind: "judge", verdict: "wrong" }, ...changes];
}
