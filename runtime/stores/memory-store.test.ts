import { openMemoryStore } from "./memory-store.ts";
import { describeStore } from "./store-contract.ts";
import { describeArchive } from "./store-contract-archive.ts";

describeStore("memory", async () => openMemoryStore());
describeArchive("memory", async () => openMemoryStore());
