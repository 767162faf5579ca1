import type { Outcome, Violation } from "./checks.ts";

/** A timer fires once, never early, and not when something else came first. */
export function* checkTimers({ stories }: Outcome): Iterable<Violation> {
  for (const { instance, decided } of stories) {
    const fired = new Set<string>();
    for (const { command, at, before } of decided) {
      if (command.kind !== "timer") continue;
      const timer = before?.timers.find(({ id }) => id === command.timer);
      if (!timer) yield { check: "a timer fires once", what: `${command.timer} of ${instance} was gone` };
      else if (at < timer.dueAt)
        yield { check: "a timer never fires early", what: `${command.timer} of ${instance}: ${timer.dueAt - at} ms` };
      if (fired.has(command.timer))
        yield { check: "a timer fires once", what: `${command.timer} of ${instance} fired again` };
      fired.add(command.timer);
    }
  }
}
