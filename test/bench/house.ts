/** Where the agent of a bench is on its broker. */
export const base = "access/gateway-1";

export const commandTopic = (command: string): string => `${base}/command/${command}`;

/** So many doors, each with a lock at an address of its own: `door-1` at `lock-1`, and so on. */
export const doorsOn = (link: string, count: number): readonly object[] =>
  Array.from({ length: count }, (_, at) => ({
    device_id: `door-${at + 1}`,
    name: `Door ${at + 1}`,
    time_zone: "UTC",
    at: { link, address: `lock-${at + 1}` },
  }));
