import { XMLParser } from "fast-xml-parser";
import type { EpochMs } from "../../../engine/index.ts";

/** An element: text if it holds only that, else its children by name; those that can repeat are always lists. */
export type XmlValue = string | XmlElement | readonly XmlValue[];
export interface XmlElement {
  readonly [name: string]: XmlValue;
}

/** Where a form stands, in words that hold for every approval platform; WeCom's number where it has no word. */
export type ApprovalStatus =
  | "pending"
  | "approved"
  | "rejected"
  | "cancelled"
  | "revoked"
  | "deleted"
  | "paid"
  | `status-${string}`;

/** A change of a form ("审批状态通知事件", document/path/91815). It carries no form data. */
export interface ApprovalEvent {
  readonly kind: "approval";
  /** `sys_approval_change` for forms filled in in WeCom, `open_approval_change` for WeCom's engine inside an own app. */
  readonly event: "sys_approval_change" | "open_approval_change";
  readonly corpId: string;
  readonly agentId: string;
  readonly createdAt: EpochMs;
  /** SpNoStr, else SpNo, as the text that arrived (ThirdNo for WeCom's engine). */
  readonly spNo: string;
  /** The template's name, which can change; its id doesn't. */
  readonly name: string;
  readonly template: string;
  /** After the change. */
  readonly status: ApprovalStatus;
  /** What happened: `submit`, `agree`, … WeCom's number where there is no word. The status decides, not this. */
  readonly action: string;
  readonly applicant: string;
  readonly department: string;
  readonly appliedAt: EpochMs;
}

export type CallbackEvent =
  | ApprovalEvent
  /** Authentic, and not about a form. `name` is the event's or the message type. */
  | { readonly kind: "other"; readonly name: string };

/** Why a text can't be read; -40002 is the code of WeCom's libraries for that. */
export interface XmlFault {
  readonly ok: false;
  readonly code: -40002;
  readonly reason: string;
}

/** The encrypted text in the body of a callback. */
export function readEnvelope(text: string): { readonly ok: true; readonly encrypt: string } | XmlFault {
  const read = readXml(text);
  if (!read.ok) return read;
  const encrypt = textAt(read.root, "Encrypt");
  return encrypt === "" ? fault("the XML has no `Encrypt`") : { ok: true, encrypt };
}

/** A decrypted callback. */
export function readEvent(text: string): { readonly ok: true; readonly event: CallbackEvent } | XmlFault {
  const read = readXml(text);
  if (!read.ok) return read;
  const name = textAt(read.root, "Event");
  if (name !== "sys_approval_change" && name !== "open_approval_change") {
    return { ok: true, event: { kind: "other", name: name || textAt(read.root, "MsgType") } };
  }
  const event = name === "sys_approval_change" ? systemEvent(read.root) : engineEvent(read.root);
  return event.spNo === "" ? fault("the event has no approval number") : { ok: true, event };
}

/** Reads the XML that WeCom sends: elements without attributes, text, CDATA. Every value stays a string. */
export function readXml(text: string): { readonly ok: true; readonly root: XmlElement } | XmlFault {
  const odd = firstOddity(text);
  if (odd !== undefined) return fault(odd);
  try {
    const document = parser.parse(text, true) as XmlElement;
    const root = document["xml"];
    return isElement(root) ? { ok: true, root } : fault("there is no `xml` element with content");
  } catch {
    return fault("it is not well-formed XML");
  }
}

/** The text at a path of names, or "". Spelling drifts between WeCom's pages (`Sptime`, `ItemUserid`): case doesn't count. */
export function textAt(element: XmlElement, ...path: readonly string[]): string {
  let value: XmlValue | undefined = element;
  for (const name of path) {
    const parent: XmlElement | undefined = isElement(value) ? value : undefined;
    const key: string | undefined = Object.keys(parent ?? {}).find((own) => own.toLowerCase() === name.toLowerCase());
    value = key === undefined ? undefined : parent?.[key];
  }
  return typeof value === "string" ? value : "";
}

/** SpStatus as a word. */
export function approvalStatus(code: string): ApprovalStatus {
  return STATUSES[code] ?? `status-${code}`;
}

// Repeated siblings without a wrapper: one of them would else look unlike two.
const REPEATED = new Set([
  ...["SpRecord", "Details", "Notifyer", "Comments", "Attach", "NodeList", "SubNodeList", "MediaIds"],
  ...["ApprovalNode", "Item", "NotifyNode", "SelectedItem", "OptionId"],
]);

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false, // A user id `007` is no number.
  trimValues: true,
  isArray: (name) => REPEATED.has(name),
});

const STATUSES: Readonly<Record<string, ApprovalStatus>> = {
  1: "pending",
  2: "approved",
  3: "rejected",
  4: "cancelled",
  6: "revoked",
  7: "deleted",
  10: "paid",
};

const ACTIONS: Readonly<Record<string, string>> = {
  1: "submit",
  2: "agree",
  3: "reject",
  4: "transfer",
  5: "urge",
  6: "cancel",
  8: "revoke",
  10: "comment",
  11: "return",
  12: "add-approver",
  13: "add-and-agree",
  14: "handle",
  15: "hand-over",
};

function systemEvent(root: XmlElement): ApprovalEvent {
  const info = (...path: readonly string[]) => textAt(root, "ApprovalInfo", ...path);
  const action = info("StatuChangeEvent"); // The platform's spelling.
  return {
    kind: "approval",
    event: "sys_approval_change",
    ...envelopeFields(root),
    spNo: info("SpNoStr") || info("SpNo"),
    name: info("SpName"),
    template: info("TemplateId"),
    status: approvalStatus(info("SpStatus")),
    action: ACTIONS[action] ?? action,
    applicant: info("Applyer", "UserId"),
    department: info("Applyer", "Party"),
    appliedAt: Number(info("ApplyTime")) * 1000,
  };
}

function engineEvent(root: XmlElement): ApprovalEvent {
  const info = (...path: readonly string[]) => textAt(root, "ApprovalInfo", ...path);
  return {
    kind: "approval",
    event: "open_approval_change",
    ...envelopeFields(root),
    spNo: info("ThirdNo"),
    name: info("OpenSpName"),
    template: info("OpenTemplateId"),
    status: approvalStatus(info("OpenSpStatus")),
    action: "",
    applicant: info("ApplyUserId"),
    department: info("ApplyUserParty"),
    appliedAt: Number(info("ApplyTime")) * 1000,
  };
}

function envelopeFields(root: XmlElement): Pick<ApprovalEvent, "corpId" | "agentId" | "createdAt"> {
  return {
    corpId: textAt(root, "ToUserName"),
    agentId: textAt(root, "AgentID"),
    createdAt: Number(textAt(root, "CreateTime")) * 1000,
  };
}

/**
 * What in the text is none of: XML declaration, CDATA, plain tag, text. An allowlist, because the envelope is read
 * before it is authenticated: no DOCTYPE, entity declaration, comment or attribute gets as far as the parser.
 */
function firstOddity(text: string): string | undefined {
  const token = /<!\[CDATA\[[\s\S]*?\]\]>|<\/?[A-Za-z_][\w.-]*\s*\/?>|[^<]+/y;
  token.lastIndex = /^\s*<\?xml[^<>]*\?>/.exec(text)?.[0].length ?? 0;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    if (token.test(text)) continue;
    return /^<!(doctype|entity)/i.test(text.slice(at, at + 9))
      ? "a DOCTYPE or entity declaration is not accepted"
      : `the markup at offset ${at} is not accepted`;
  }
  return undefined;
}

function isElement(value: XmlValue | undefined): value is XmlElement {
  return typeof value === "object" && !Array.isArray(value);
}

function fault(reason: string): XmlFault {
  return { ok: false, code: -40002, reason };
}
