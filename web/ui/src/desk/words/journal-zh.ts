// What happened in an interaction, in Simplified Chinese.
import type { JournalWords } from "./journal-en.ts";

type D = Record<string, unknown>;
const t = (d: D, key: string): string => (typeof d[key] === "string" || typeof d[key] === "number" ? String(d[key]) : "");

const released: Record<string, string> = { done: "已处理完毕", handed_back: "已交还流程", transferred: "已转交", left: "服务结束：客户离开", moved: "不再持有：已转移", lost: "连接中断", crash: "异常中断" };
const returned: Record<string, string> = { lapsed: "超时未接", declined: "被拒绝", unreachable: "未能送达", restart: "因重启取消", gone: "已取消" };
const links: Record<string, string> = { opened: "已打开", done: "已完成", declined: "已拒绝", expired: "已过期", revoked: "已撤回" };
const channels: Record<string, string> = { voice: "电话", chat: "聊天", sms: "短信", link: "页面" };

export const journalZh: JournalWords = {
  "interaction.opened": (d) => `开始，来自 ${t(d, "from") || "未知"}`,
  "interaction.closed": (d) => `结束：${t(d, "outcome")}`,
  "flow.started": (d) => `流程 ${t(d, "flow")} 开始`,
  "flow.outcome": (d) => `步骤 ${t(d, "step")}：${t(d, "outcome")}`,
  "flow.input": (d) => `按键：${t(d, "keys")}`,
  "flow.error": (d) => `流程在 ${t(d, "step")} 出错`,
  "flow.recorded": () => "客户留下了语音",
  "consent.given": (d) => `对 ${t(d, "kind")} 的同意：${t(d, "answer")}`,
  "voicemail.left": (d) => `留言 ${Math.round(Number(d["seconds"] ?? 0))} 秒`,
  "task.opened": (d) => `进入 ${t(d, "queue")} 排队`,
  "task.changed": (d) => `在 ${t(d, "queue")} 排队，有变更`,
  "task.offered": (d) => `分配给 ${t(d, "agent")}`,
  "task.returned": (d) => `给 ${t(d, "agent")} 的分配${returned[t(d, "why")] ?? "未成功"}`,
  "task.assigned": (d) => `${t(d, "agent")} 已接`,
  "task.released": (d) => `${t(d, "agent")} ${released[t(d, "why")] ?? "不再持有"}`,
  "task.wrapped": (d) => (t(d, "disposition") ? `${t(d, "agent")} 完成收尾：${t(d, "disposition")}` : `${t(d, "agent")} 完成收尾`),
  "ticket.opened": (d) => `建立工单 ${t(d, "number")}`,
  "ticket.changed": (d) => `工单变更：${t(d, "status") || t(d, "note") || t(d, "told") || t(d, "owner")}`,
  "survey.answered": () => "回答了调查",
  "agent.noted": (d) => `备注：${t(d, "text")}`,
  "call.dialled": (d) => `呼叫 ${t(d, "to")}`,
  "callback.booked": (d) => (t(d, "at") ? `请求于 ${t(d, "at")} 回呼` : "请求回呼"),
  "link.made": (d) => `已发送链接 ${t(d, "operation")}`,
  "link.changed": (d) => `链接${links[t(d, "state")] ?? t(d, "state")}`,
  "session.moved": (d) => `转到${channels[t(d, "channel")] ?? t(d, "channel")}继续`,
  "session.resumed": (d) => `通过${channels[t(d, "channel")] ?? t(d, "channel")}返回`,
  "customer.identified": (d) => `身份核验（${t(d, "method")}）：${t(d, "outcome")}`,
  "code.sent": (d) => `验证码已发送至 ${t(d, "to")}`,
  "customer.bound": () => "保存了客户的联系方式",
  "session.taken": (d) => `${t(d, "agent")} 在 ${t(d, "step")} 接管客户`,
  "session.handed_back": (d) => `${t(d, "agent")} 将客户交还至 ${t(d, "step") || "下一步骤"}`,
  "room.joined": (d) => `${t(d, "name") || "客户"}加入通话`,
  "room.left": (d) => `${Math.round(Number(d["seconds"] ?? 0))} 秒后离开通话`,
  "audit.listened": (d) => `${t(d, "who")} 监听：${t(d, "why")}`,
  "recording.kept": (d) => `已保存 ${Math.round(Number(d["seconds"] ?? 0))} 秒录音`,
};
