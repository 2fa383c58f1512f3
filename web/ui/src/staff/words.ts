// What all staff pages say, whole sentences in each language.
import type { Language } from "../language.ts";
import type { PageName } from "./places.ts";
import type { Role } from "./session.ts";
import { useLanguage } from "./settings.tsx";
import type { Theme } from "./theme.ts";

export interface StaffWords {
  close: string;
  cancel: string;
  retry: string;
  loading: string;
  comma: string;
  places: string;
  pages: Record<PageName, string>;
  closedTitle: string;
  closed: string;
  language: string;
  theme: string;
  themes: Record<Theme, string>;
  account: string;
  keys: string;
  keysHelp: string;
  keysEverywhere: string;
  keysChange: string;
  keysChangeOf(what: string): string;
  keysPress: string;
  keysUnusable: string;
  keysTaken(what: string): string;
  keysReset: string;
  signOut: string;
  skip: string;
  copy: string;
  copied: string;
  roles: Record<Role, string>;
  faults: Record<string, string>; // by the code of the answer
  because: Record<string, (why: string) => string>; // where the server's own words say more
}

const en: StaffWords = {
  close: "Close",
  cancel: "Cancel",
  retry: "Try again",
  loading: "Loading …",
  comma: ", ",
  places: "Pages",
  pages: { desk: "Desk", board: "Board", studio: "Studio" },
  closedTitle: "Not for your role",
  closed: "Your roles do not reach this page. An operator can give you another role.",
  language: "Language",
  theme: "Appearance",
  themes: { auto: "As the device", light: "Light", dark: "Dark" },
  account: "Account",
  keys: "Keyboard shortcuts",
  keysHelp: "Show this list",
  keysEverywhere: "Everywhere",
  keysChange: "Change",
  keysChangeOf: (what) => `Change the keys for: ${what}`,
  keysPress: "Press the new keys …",
  keysUnusable: "Choose a letter or figure together with Alt or Ctrl, or F1 to F12.",
  keysTaken: (what) => `Those keys are taken: ${what}`,
  keysReset: "All keys as they were",
  signOut: "Sign out",
  skip: "Skip to the content",
  copy: "Copy",
  copied: "Copied",
  roles: { designer: "Designer", agent: "Agent", supervisor: "Supervisor", operator: "Operator", auditor: "Auditor" },
  faults: {
    offline: "The server does not answer. Check the network; then try again.",
    broken: "The server's answer could not be read. Reload the page; if it happens again, tell the operator.",
    server: "Something went wrong on the server. It has been noted there. Try again in a moment.",
    other: "The server refused this. Reload the page and try again.",
    login: "You are no longer signed in. Sign in again; your drafts are kept on this device.",
    csrf: "This page is out of date. Reload it and try again; your drafts are kept.",
    forbidden: "Your role does not allow this. Ask an operator if you need it.",
    not_found: "This is no longer there. Reload the page to see what is.",
    too_many: "Too many requests at once. Wait a moment and try again.",
    same_person: "You made this change, so another person has to publish it.",
    wrong: "The password or code is not right. Of codes, use the newest one in the app; check that the phone's clock is right.",
    origin: "This page was opened at another address than staff use. Open the address your operator gave you.",
    host: "This page was opened at another address than staff use. Open the address your operator gave you.",
    own: "Nobody changes their own user here. Ask another operator.",
    taken: "This name is taken. Choose another one.",
    not_local: "This user signs in by a provider, which keeps password, codes and roles.",
    has_totp: "The second factor is set up already. Switch it off first.",
    must_change: "Choose a password of your own first. Reload the page to do so.",
    must_totp: "Set up a second factor first. Reload the page to do so.",
    unavailable: "The server cannot write at the moment, so nothing was changed. Try again soon.",
    errors: "The flows would have errors with this. Mend those listed under Problems first.",
    internal: "Something went wrong on the server. It has been noted there. Try again in a moment.",
  },
  because: {},
};

const zhCN: StaffWords = {
  close: "关闭",
  cancel: "取消",
  retry: "重试",
  loading: "正在加载……",
  comma: "、",
  places: "页面",
  pages: { desk: "工作台", board: "看板", studio: "工作室" },
  closedTitle: "您的角色无权访问",
  closed: "您的角色不能查看此页面。运维员可以为您添加其他角色。",
  language: "语言",
  theme: "外观",
  themes: { auto: "跟随设备", light: "浅色", dark: "深色" },
  account: "账户",
  keys: "键盘快捷键",
  keysHelp: "显示此列表",
  keysEverywhere: "全局",
  keysChange: "更改",
  keysChangeOf: (what) => `更改按键：${what}`,
  keysPress: "请按新的按键……",
  keysUnusable: "请选择 Alt 或 Ctrl 加字母或数字，或 F1 至 F12。",
  keysTaken: (what) => `该按键已被占用：${what}`,
  keysReset: "恢复全部默认按键",
  signOut: "退出登录",
  skip: "跳到正文",
  copy: "复制",
  copied: "已复制",
  roles: { designer: "流程设计员", agent: "坐席", supervisor: "班长", operator: "运维员", auditor: "审计员" },
  faults: {
    offline: "服务器没有应答。请检查网络后重试。",
    broken: "无法读取服务器的应答。请刷新页面；如再次出现，请告知运维员。",
    server: "服务器出错，已记录。请稍后重试。",
    other: "服务器拒绝了此操作。请刷新页面后重试。",
    login: "登录已失效。请重新登录，草稿仍保存在本设备上。",
    csrf: "页面已过期。请刷新后重试，草稿会保留。",
    forbidden: "您的角色没有此权限。如有需要，请联系运维员。",
    not_found: "该内容已不存在。请刷新页面。",
    too_many: "请求过多，请稍后重试。",
    same_person: "这是您本人的修改，须由另一人发布。",
    wrong: "密码或验证码不正确。验证码请使用应用中最新的一个，并检查手机时间是否准确。",
    weak_password: "新密码过短、过长或过于常见。请换一个他人不易猜到的密码。",
    origin: "此页面的地址不是员工使用的地址。请打开运维员提供的地址。",
    host: "此页面的地址不是员工使用的地址。请打开运维员提供的地址。",
    own: "不能在此修改自己的用户，请联系其他运维员。",
    taken: "该名称已被使用，请换一个。",
    not_local: "该用户由登录提供方管理密码、验证码和角色。",
    has_totp: "二次验证已设置。请先关闭。",
    must_change: "请先设置您自己的密码。刷新页面即可设置。",
    must_totp: "请先设置二次验证。刷新页面即可设置。",
    unavailable: "服务器暂时无法写入，没有任何更改。请稍后重试。",
    errors: "这样修改会使流程出错。请先改正“问题”中列出的错误。",
    internal: "服务器出错，已记录。请稍后重试。",
    not_json: "服务器无法读取此请求。请刷新页面后重试。",
    too_large: "内容过大，服务器未接受。",
    code_required: "还需要验证器应用中的验证码。",
    login_failed: "用户名、密码或验证码不正确。",
  },
  because: {
    invalid: (why) => `所填内容未被接受：${why}`,
    conflict: (why) => `与现有内容冲突：${why}`,
  },
};

const words: Record<Language, StaffWords> = { en, "zh-CN": zhCN };

export function useStaffWords(): StaffWords {
  return words[useLanguage()];
}
