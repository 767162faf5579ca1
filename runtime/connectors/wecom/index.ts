export { type ApiOutcome, MESSAGE_USERS_MAX, type WecomApi, type WecomApiOptions, wecomApi } from "./api.ts";
export { WECOM_API, type WecomApp } from "./app.ts";
export type { ApprovalStatus } from "./callback-xml.ts";
export { encrypt, sign } from "./crypto.ts";
export { CALLBACK_BYTES_MAX, checkUrl, type HookAnswer, type HookQuery, receive } from "./hook.ts";
export { type Ingested, type IngestPorts, ingest, type SignalPlan, type StartPlan, WECOM_SOURCE } from "./ingest.ts";
export type { MappingFault } from "./mapping.ts";
