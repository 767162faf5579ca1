export { InProcessBus } from "./bus/in-process-bus.ts";
export { openNatsBus } from "./bus/nats-bus.ts";
export {
  ingest as ingestWecom,
  receive as receiveWecom,
  type WecomApp,
  wecomApi,
} from "./connectors/wecom/index.ts";
export { type DirectoryFile, embeddedDirectory, SEEDED_PEOPLE } from "./directory.ts";
export { documentFiles } from "./document-files.ts";
export { decode as decodeStored, encode as encodeStored } from "./entry.ts";
export { keyRing, newKeyRingSetting } from "./key-ring.ts";
export { AssentNode, type NodePorts } from "./node.ts";
export type * from "./ports.ts";
export { StoreUnavailable, UnknownCursor } from "./ports.ts";
export type { StoreSetting } from "./settings.ts";
export { openMemoryStore } from "./stores/memory-store.ts";
export { openStore, type StoreOptions } from "./stores/open-store.ts";
export { openSqliteStore } from "./stores/sqlite-store.ts";
export type { Envelope, Reply } from "./turn.ts";
