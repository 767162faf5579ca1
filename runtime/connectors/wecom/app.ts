/** One configured WeCom app: what `ASSENT_WECOM_<APP>_*` says about it. */
export interface WecomApp {
  /** Its name in the path `/hooks/wecom/{app}`, lower case. */
  readonly app: string;
  readonly tenant: string;
  readonly corpId: string;
  /** Signs callbacks. A secret. */
  readonly token: string;
  /** `EncodingAESKey`, 43 characters. A secret. */
  readonly aesKey: string;
  /** The app's own secret for the API. */
  readonly secret: string;
  /** Base of the API without `/cgi-bin`. */
  readonly api: string;
  /** `agentid` of the app. Set: it tells people of their tasks by WeCom's messages. */
  readonly agentId?: number;
}

/** WeCom's own API, where no other is configured. */
export const WECOM_API = "https://qyapi.weixin.qq.com";
