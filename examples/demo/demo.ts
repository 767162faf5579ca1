/**
 * `npm run demo`: the main job from end to end; with `-- --nats` on a real nats-server, with `-- --keep` the node stays up.
 * `npm run demo -- --cluster`: three nodes on NATS and a shared store, of which one is killed. Ends with 0 only if every
 * step held.
 */
if (process.argv.includes("--cluster")) await import("./cluster.ts");
else await import("./contract.ts");
