export { BusUnavailable, NoResponders, RequestTimedOut, ServiceFailed } from "./bus/bus-errors.ts";
export {
  EventBus,
  type EventBusFigures,
  type Handler,
  type Middleware,
  type SubscribeOptions,
} from "./bus/event-bus.ts";
export { InProcessBus } from "./bus/in-process-bus.ts";
export { type Delivery, Intake } from "./bus/intake.ts";
export { openNatsBus } from "./bus/nats-bus.ts";
export { parseInSubject, subjectMatcher } from "./bus/subjects.ts";
export { systemClock } from "./clock.ts";
export { partitionOf } from "./cluster/partition.ts";
export {
  ingest as ingestWecom,
  receive as receiveWecom,
  type WecomApp,
  wecomApi,
} from "./connectors/wecom/index.ts";
export type { FlowFiles, Unit, UnitResult } from "./deployment.ts";
export { type DirectoryFile, embeddedDirectory, SEEDED_PEOPLE } from "./directory.ts";
export { documentFiles } from "./document-files.ts";
export { decode as decodeStored, encode as encodeStored } from "./entry.ts";
export { type KeyRing, keyRing, newKeyRingSetting } from "./key-ring.ts";
export { AssentNode, type NodePorts } from "./node.ts";
export type * from "./ports.ts";
export { StoreUnavailable, UnknownCursor } from "./ports.ts";
export { rebuild } from "./rebuild.ts";
export type { StoreSetting } from "./settings.ts";
export { openMemoryStore } from "./stores/memory-store.ts";
export { mongoStores, openStore, type StoreOptions } from "./stores/open-store.ts";
export { openSqliteStore } from "./stores/sqlite-store.ts";
export type { Envelope, Reply } from "./turn.ts";
