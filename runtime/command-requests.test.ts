import { InProcessBus } from "./bus/in-process-bus.ts";
import { describeRequests } from "./command-requests-contract.ts";

describeRequests({ name: "in process", skip: false, openBus: async () => new InProcessBus() });
