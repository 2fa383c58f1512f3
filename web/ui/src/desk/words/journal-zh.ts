// What happened in an interaction, in Simplified Chinese.
import type { JournalWords } from "./journal-en.ts";

type D = Record<string, unknown>;
const t = (d: D, key: string): string => (typeof d[key] === "string" || typeof d[key] === "number" ? String(d[key]) : "");

const released: Record<string, string> = { done: "已处理完毕", handed_back: "已交还流程", transferred: "已转交", left: "服务结束：客户离开", moved: "不再持有：已转移", lost: "连接中断", crash: "异常中断" };
const returned: Record<string, string> = { lapsed: "超时未接", declined: "被拒绝", unreachable: "未能送达", restart: "因重启取消", gone: "已取消" };
const links: Record<string, string> = { opened: "已打开", done: "已完成", declined: "已拒绝", expired: "已过期", revoked: "已撤回" };
const channels: Record<string, string> = { voice: "电话", chat: "聊天", sms: "短信", link: "页面" };

const levels: Record<string, string> = { voice: "语音", video: "视频", "": "文字" };
const guests: Record<string, string> = { specialist: "专家", listener: "旁听" };
// who did it: the actor of the event, "caller" for the customer; what is older has by alone.
const who = (d: D): string => {
  const by = t(d, "actor") || t(d, "by");
  return ({ flow: "流程", customer: "客户", caller: "客户", system: "" } as Record<string, string>)[by] ?? by;
};
const upgraded: Record<string, (by: string, level: string) => string> = {
  asked: (by, level) => `${by} 请求${level}`,
  agreed: (by, level) => `${by} 同意${level}`,
  refused: (_, level) => `没有同意${level}，聊天继续`,
  lapsed: (_, level) => `${level}请求没有及时得到回应`,
  withdrawn: (by, level) => `${by} 撤回了${level}请求`,
  changed: (by, level) => (by ? `${by} 改为${level}` : `改为${level}`),
  over: (by) => (by ? `${by} 结束了语音与画面` : "语音与画面结束"),
};
const carried: Record<string, string> = {
  "network voice": "网络太弱，画面中断，语音继续",
  "network ": "网络无法传送语音和画面，聊天继续",
  "camera voice": "客户的摄像头没有画面",
  "microphone ": "客户的麦克风没有声音",
  "back video": "画面恢复",
  "back voice": "语音恢复",
};
const consents: Record<string, string> = { recording: "是否同意录制", data: "是否同意使用数据", video: "是否同意视频", voice: "是否同意语音" };
const breaks: Record<string, (seconds: number) => string> = {
  cut: (seconds) => `连接中断了 ${seconds} 秒`,
  second_face: () => "看到了其他人",
  changed_person: () => "看到的是另一个人",
  officer: () => "由核验员重新开始",
  restart: () => "服务器重新启动",
};
const verdicts: Record<string, (officer: string, second: string) => string> = {
  passed: (officer, second) => (second ? `身份核验通过，由 ${officer} 和 ${second}` : `身份核验通过，由 ${officer}`),
  failed: (officer, second) => (second ? `身份核验未通过，由 ${officer} 和 ${second}` : `身份核验未通过，由 ${officer}`),
  declined: () => "客户不愿身份核验",
  stopped: () => "身份核验结束，没有结论",
};

export const journalZh: JournalWords = {
  "interaction.opened": (d) => `开始，来自 ${t(d, "from") || "未知"}`,
  "interaction.closed": (d) => `结束：${t(d, "outcome")}`,
  "flow.started": (d) => `流程 ${t(d, "flow")} 开始`,
  "flow.outcome": (d) => `步骤 ${t(d, "step")}：${t(d, "outcome")}`,
  "flow.input": (d) => `按键：${t(d, "keys")}`,
  "flow.error": (d) => `流程在 ${t(d, "step")} 出错`,
  "flow.recorded": () => "客户留下了语音",
  "consent.given": (d) => `${t(d, "check") ? "是否同意身份核验" : (consents[t(d, "kind")] ?? t(d, "kind"))}：${({ yes: "同意", no: "不同意" } as Record<string, string>)[t(d, "answer")] ?? t(d, "answer")}`,
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
  "recording.kept": (d) => {
    const seconds = Math.round(Number(d["seconds"] ?? 0));
    if (d["cut"]) return `已保存 ${seconds} 秒录制：服务器停止时中断`;
    if (t(d, "shows") === "display") return `已保存 ${seconds} 秒共享屏幕的录制`;
    return t(d, "media_type").startsWith("video/") ? `已保存 ${seconds} 秒录像` : `已保存 ${seconds} 秒录音`;
  },
  "upgrade.changed": (d) => upgraded[t(d, "state")]?.(who(d), levels[t(d, "level")] ?? t(d, "level")) ?? "语音与画面有变化",
  "upgrade.carried": (d) => carried[`${t(d, "why")} ${t(d, "now")}`] ?? (t(d, "now") ? `网络可传送${levels[t(d, "now")] ?? t(d, "now")}` : "网络只能传送文字"),
  "room.invited": (d) =>
    t(d, "used") ? `${t(d, "used")} 通过${guests[t(d, "role")] ?? t(d, "role")}链接加入` : d["revoked"] ? `${t(d, "by")} 作废了${guests[t(d, "role")] ?? t(d, "role")}链接` : `${t(d, "by")} 生成了${guests[t(d, "role")] ?? t(d, "role")}链接`,
  "check.begun": (d) => (Number(d["round"] ?? 1) > 1 ? `身份核验 ${t(d, "policy")}：第 ${t(d, "round")} 轮开始` : `身份核验 ${t(d, "policy")} 开始`),
  "check.step": (d) => `核验步骤 ${t(d, "step")}：${({ done: "完成", failed: "未通过", skipped: "跳过", present: "开始", asked: "请人复核" } as Record<string, string>)[t(d, "state")] ?? t(d, "state")}`,
  "check.evidence": (d) => (t(d, "source") === "page" ? `核验：已保存客户页面上 ${t(d, "step")} 的截图` : `核验：已保存传输中 ${t(d, "step")} 的截图`),
  "check.interrupted": (d) => `核验：第 ${t(d, "round")} 轮不算，${breaks[t(d, "why")]?.(Math.round(Number(d["seconds"] ?? 0))) ?? t(d, "why")}`,
  "check.decided": (d) => verdicts[t(d, "outcome")]?.(t(d, "officer"), t(d, "second")) ?? `身份核验：${t(d, "outcome")}`,
  "blob.removed": () => "保存期已到，录制内容已删除",
};
