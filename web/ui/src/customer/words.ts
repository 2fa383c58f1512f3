import type { Language } from "../language.ts";

// Every sentence of the page, whole in each language: none is glued from parts.
export interface Words {
  title: string;
  lead: string;
  language: string;
  numbers: string;
  number: string;
  speaks: string;
  dial: string;
  copy: string;
  copied: string;
  prefix(number: string): string;
  auth: string;
  none: string;
  how: string;
  steps: string[];
  terminal: string;
  state: string;
  loading: string;
  ready(calls: number): string;
  refusing: string;
  unreachable: string;
  demo: string;
  phone: string;
  texts: string;
  noTexts: string;
  textsUnreachable: string;
  fromPhone: string;
  fromNumber(number: string): string;
  textFailed: string;
  reply: string;
  send: string;
  replyFailed: string;
  keypad: string;
  erase: string;
  leadsNowhere(number: string): string;
  dialWith: string;
  fromPage: string;
}

const en: Words = {
  title: "Call this Tandem",
  lead: "A phone rings, a flow answers. Dial one of the numbers below from any SIP phone on this machine or network.",
  language: "Language of this page",
  numbers: "Numbers to dial",
  number: "Number",
  speaks: "Speaks",
  dial: "Address to dial",
  copy: "Copy",
  copied: "Copied",
  prefix: (number) => `Any number that begins with ${number}`,
  auth: "Asks your phone for a user and password",
  none: "No number leads anywhere yet. Add one under entries in the configuration; it serves the next call.",
  how: "How to call",
  steps: [
    "Open a SIP phone, such as Linphone or baresip. It needs no account and no registration.",
    "Dial an address from the list, as it stands.",
    "Listen, and press keys on the phone's keypad. You may press before the voice has finished.",
  ],
  terminal: "Or from a terminal, without any phone",
  state: "State",
  loading: "Looking up the numbers …",
  ready: (calls) =>
    calls === 0 ? "Ready. No call is up." : calls === 1 ? "Ready. One call is up." : `Ready. ${calls} calls are up.`,
  refusing: "New calls are not let in at the moment. Calls that are up go on.",
  unreachable: "The server does not answer. This page tries again by itself.",
  demo: "This is the demo: its bank, accounts and balances are made up. In the corner is its chat; beside or below is a customer's telephone, to which texts are sent.",
  phone: "A customer's telephone",
  texts: "Texts",
  noTexts: "No text yet. A flow sends one, or write the first one here.",
  textsUnreachable: "The network of this telephone does not answer. This page tries again by itself.",
  fromPhone: "From this telephone",
  fromNumber: (number) => `From ${number}`,
  textFailed: "Not sent",
  reply: "Write a text",
  send: "Send",
  replyFailed: "The text was not sent. Please try again.",
  keypad: "Keys",
  erase: "Erase",
  leadsNowhere: (number) => `${number} leads nowhere here.`,
  dialWith: "Dial it with a SIP phone:",
  fromPage: "Calls from this page use your microphone. Any number can also be dialled with a SIP phone or from a terminal.",
};

const zhCN: Words = {
  title: "拨打 Tandem",
  lead: "电话响起，流程应答。用本机或本网络内的任意 SIP 电话拨打下面的号码。",
  language: "页面语言",
  numbers: "可拨打的号码",
  number: "号码",
  speaks: "语言",
  dial: "拨号地址",
  copy: "复制",
  copied: "已复制",
  prefix: (number) => `以 ${number} 开头的任意号码`,
  auth: "需要在电话中填写用户名和密码",
  none: "还没有可拨打的号码。在配置文件的 entries 中添加，下一通来电即可使用。",
  how: "如何拨打",
  steps: [
    "打开一个 SIP 电话，例如 Linphone 或 baresip。无需账号，也无需注册。",
    "原样拨打列表中的地址。",
    "听语音提示，用电话键盘按键。不必等语音播完。",
  ],
  terminal: "也可以不用电话，直接在终端拨打",
  state: "状态",
  loading: "正在查询号码……",
  ready: (calls) => (calls === 0 ? "就绪，当前没有通话。" : `就绪，当前有 ${calls} 通通话。`),
  refusing: "暂时不接新来电，已接通的通话不受影响。",
  unreachable: "服务器没有应答，本页会自动重试。",
  demo: "这是演示：银行、账户和余额均为虚构。页面一角是在线客服，旁边或下方是一部客户手机，短信会发到那里。",
  phone: "客户的手机",
  texts: "短信",
  noTexts: "还没有短信。可以等流程发送，也可以在这里先发一条。",
  textsUnreachable: "这部手机的网络没有应答，本页会自动重试。",
  fromPhone: "由本机发出",
  fromNumber: (number) => `来自 ${number}`,
  textFailed: "未发送",
  reply: "输入短信",
  send: "发送",
  replyFailed: "短信发送失败，请重试。",
  keypad: "拨号键",
  erase: "删除",
  leadsNowhere: (number) => `${number} 在这里没有对应的线路。`,
  dialWith: "请用 SIP 电话拨打：",
  fromPage: "在本页拨打会使用您的麦克风。也可以用 SIP 电话或在终端拨打任意号码。",
};

export const words: Record<Language, Words> = { en, "zh-CN": zhCN };
