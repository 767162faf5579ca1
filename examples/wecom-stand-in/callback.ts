import { createCipheriv, createHash, randomBytes } from "node:crypto";

/**
 * The sender's side of a callback, as WeCom's cloud does it. It is written apart from the connector that receives it,
 * so that both are held to WeCom's page and not to each other.
 */
export interface CallbackKeys {
  readonly corpId: string;
  readonly token: string;
  /** 43 characters. */
  readonly aesKey: string;
}

export interface Callback {
  /** With the question mark, for behind the hook's address. */
  readonly search: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ApprovalChange {
  readonly spNo: string;
  readonly template: string;
  /** 1 under approval, 2 approved, 3 rejected, 4 taken back, 6 revoked after approval, 7 deleted, 10 paid. */
  readonly status: number;
  /** What happened: 1 submitted, 2 agreed, 3 rejected, 4 transferred, 6 taken back, 8 revoked, 10 commented. */
  readonly change: number;
  readonly applicant: string;
  readonly atMs: number;
}

/** One delivery: encrypted and signed anew each time, as a repeated one is too. */
export function callback(keys: CallbackKeys, message: string, atMs: number): Callback {
  const timestamp = String(Math.floor(atMs / 1000));
  const nonce = String(randomBytes(4).readUInt32BE());
  const encrypted = encrypted32(keys, message);
  const signature = createHash("sha1").update([keys.token, timestamp, nonce, encrypted].sort().join("")).digest("hex");
  return {
    search: `?${new URLSearchParams({ msg_signature: signature, timestamp, nonce })}`,
    headers: { "content-type": "text/xml; charset=utf-8" },
    body: `<xml><ToUserName><![CDATA[${keys.corpId}]]></ToUserName><Encrypt><![CDATA[${encrypted}]]></Encrypt><AgentID><![CDATA[1000002]]></AgentID></xml>`,
  };
}

/** What WeCom says when a form's state changes. It tells nothing of what was filled in. */
export function approvalChangeXml(keys: CallbackKeys, change: ApprovalChange): string {
  const seconds = Math.floor(change.atMs / 1000);
  return [
    `<xml><ToUserName><![CDATA[${keys.corpId}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>`,
    `<CreateTime>${seconds}</CreateTime><MsgType><![CDATA[event]]></MsgType>`,
    "<Event><![CDATA[sys_approval_change]]></Event><AgentID>1000002</AgentID><ApprovalInfo>",
    `<SpNoStr><![CDATA[${change.spNo}]]></SpNoStr><SpName><![CDATA[采购合同审批]]></SpName>`,
    `<SpStatus>${change.status}</SpStatus><TemplateId><![CDATA[${change.template}]]></TemplateId>`,
    `<ApplyTime>${seconds}</ApplyTime>`,
    `<Applyer><UserId><![CDATA[${change.applicant}]]></UserId><Party><![CDATA[12]]></Party></Applyer>`,
    `<StatuChangeEvent>${change.change}</StatuChangeEvent></ApprovalInfo></xml>`,
  ].join("");
}

/** AES-256-CBC over 16 random bytes, the length, the message and the corp id, padded to a multiple of 32. */
function encrypted32(keys: CallbackKeys, message: string): string {
  const key = Buffer.from(`${keys.aesKey}=`, "base64");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(message));
  const content = Buffer.concat([randomBytes(16), length, Buffer.from(message), Buffer.from(keys.corpId)]);
  const pad = 32 - (content.length % 32);
  const cipher = createCipheriv("aes-256-cbc", key, key.subarray(0, 16)).setAutoPadding(false);
  return Buffer.concat([cipher.update(content), cipher.update(Buffer.alloc(pad, pad)), cipher.final()]).toString(
    "base64",
  );
}
