import { once } from "node:events";
import { InProcessBus } from "../../runtime/index.ts";
import { Approvals, type Message } from "./approvals.ts";
import { bareServer, koaServer, tokenOf } from "./http-servers.ts";

/** `serve.ts koa|bare FILE PORT`: the hand-written approvals over HTTP; prints a token per user, then `ready`. */

const [kind, file = "", port = ""] = process.argv.slice(2);

const bus = new InProcessBus();
const publish = (messages: readonly Message[]) => bus.publish(messages.map((message) => ({ ...message, headers: {} })));
const approvals = new Approvals({ file, lists: true, managerOf: () => "bob", publish });
const server = kind === "koa" ? koaServer(approvals) : bareServer(approvals);
server.listen(Number(port), "127.0.0.1");
await once(server, "listening");
for (const user of ["alice", "bob"]) console.log(`${user} Bearer ${tokenOf(user)}`);
console.log("ready");

await once(process, "SIGTERM");
server.close();
server.closeAllConnections();
while (!approvals.idle) await new Promise((resolve) => setTimeout(resolve, 1));
await approvals.close();
