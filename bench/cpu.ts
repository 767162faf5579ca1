/** Processor time of this process, garbage collection included; the clock would count what neighbours take. */
function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** µs of processor time per step. As many steps again come first and are not counted. */
export function microsecondsPer(steps: number, step: () => boolean): number {
  run(steps, step);
  const started = cpuMicroseconds();
  run(steps, step);
  return (cpuMicroseconds() - started) / steps;
}

function run(steps: number, step: () => boolean): void {
  for (let n = 0; n < steps; n++) if (!step()) throw new Error("a step did not come out as it should");
}
