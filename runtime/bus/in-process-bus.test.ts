import { describeBus } from "./bus-contract.ts";
import { InProcessBus } from "./in-process-bus.ts";

describeBus({
  name: "in process",
  skip: false,
  open: async (options) => new InProcessBus(options),
  restart: async (bus) => {
    await bus.stop();
    return bus;
  },
});
