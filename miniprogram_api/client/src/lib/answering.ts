// What a trainee still has to fill in, and how a task or a notice stands: pure, so that it can be tested without a phone.

export interface Question {
  key: string;
  kind: "scale" | "text";
}

export type Answers = Record<string, number | string>;

/** Only the points are asked for: a text may be left out. */
export const unanswered = (questions: Question[], answers: Answers): string[] => questions.filter((one) => one.kind === "scale" && typeof answers[one.key] !== "number").map((one) => one.key);

/** Without empty texts, and without what was answered of a question that is no longer asked. */
export function toSend(questions: Question[], answers: Answers): Answers {
  const sent: Answers = {};
  for (const { key } of questions) {
    const answer = answers[key];
    if (typeof answer === "number") sent[key] = answer;
    else if (answer?.trim()) sent[key] = answer.trim();
  }
  return sent;
}

interface Task {
  deadline: string;
  maximum: number;
  submission: { version: number; late: boolean } | null;
  grade: { points: number } | null;
}

/** Words and tone of a task of mine. */
export function standing(one: Task, now: number): [string, string] {
  if (one.grade) return [`${one.grade.points} / ${one.maximum} 分`, ""];
  if (one.submission) return [one.submission.late ? "已补交" : "已提交", one.submission.late ? "mark-warn" : ""];
  return Date.parse(one.deadline) < now ? ["已过期限", "mark-danger"] : ["待提交", "mark-warn"];
}

/** Letters and signs in the order in which notice, pledge and arrival come. */
export function noticeStanding(mine: { notice_opened_at: string | null; pledged_at: string | null; pledged_on_paper: boolean; arrived_at: string | null; arrival_required: boolean }): [string, string] {
  if (!mine.notice_opened_at) return ["未打开", "mark-warn"];
  if (!mine.pledged_at && !mine.pledged_on_paper) return ["待签承诺书", "mark-warn"];
  if (mine.arrival_required && !mine.arrived_at) return ["待报到", "mark-warn"];
  return [mine.arrived_at ? "已报到" : "已签承诺书", ""];
}

/** Of `110***********1234` the last four, by which the reception desk finds me. */
export const lastFour = (masked: string): string => (/^[\dX]{4}$/.test(masked.slice(-4)) ? masked.slice(-4) : "");

interface File {
  state: "sending" | "sent" | "failed";
  uploadId: string;
}

/** Why work cannot be handed in yet; empty when it can. */
export function workLacks(text: string, files: File[], own: boolean): string {
  if (files.some((one) => one.state === "sending")) return "文件还在上传，请等上传完再提交。";
  if (files.some((one) => one.state === "failed")) return "有文件没有上传成功，请重新上传或移除后再提交。";
  if (!text.trim() && !files.length) return "请填写内容或添加文件。";
  return own ? "" : "请勾选声明：这是本人完成的。";
}

/** As they are found again after the mini-program was closed: what was under way must be sent once more. */
export const restored = <One extends File & { refusal: string }>(files: One[]): One[] => files.map((one) => (one.state === "sending" ? { ...one, state: "failed", refusal: "上次没有传完，请点重新上传。" } : one));
