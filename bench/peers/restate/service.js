import * as restate from "@restatedev/restate-sdk";

/** The job of `flows/bench-purchase.flow` as a virtual object of Restate: one state set per command, refused as ours is. */

const purchase = restate.object({
  name: "purchase",
  handlers: {
    submit: async (ctx, { title, amount, urgent, initiator, manager }) => {
      const known = await ctx.get("purchase");
      if (known) return known;
      if (typeof title !== "string" || !/^\d{1,13}(\.\d{1,2})?$/.test(amount))
        throw new restate.TerminalError("wrong-type");
      const made = { title, amount, urgent, initiator, manager, state: "REVIEW", version: 1 };
      ctx.set("purchase", made);
      return made;
    },
    approve: async (ctx, { actor }) => {
      const known = await ctx.get("purchase");
      if (!known) throw new restate.TerminalError("not-found");
      if (known.state !== "REVIEW") throw new restate.TerminalError("task-closed");
      if (known.manager !== actor) throw new restate.TerminalError("not-your-task");
      const approved = { ...known, state: "APPROVED", version: 2 };
      ctx.set("purchase", approved);
      return approved;
    },
  },
});

await restate.serve({ services: [purchase], port: Number(process.argv[2]), logger: () => {} });
console.log("ready");
